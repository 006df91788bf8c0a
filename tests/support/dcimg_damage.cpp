/// The ways in which a DCIMG file can be damaged, each with what a careful reader makes of it. One long
/// table: it is read as a list.

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>

#include "support/dcimg_files.hpp"

namespace spim::test {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kMax64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t kBlockTable = 0xF0, kBlockOrigin = 0xA0;  // from the session header

enum class Field {
  version,
  sessions,
  file_frames,
  header_size,
  file_bytes,
  file_bytes_again,  // of the file header
  session_bytes,
  frames,
  pixel_bytes,
  columns,
  rows,
  row_bytes,
  image_bytes,
  data_offset,  // of the session header
  stride,
  footer_size,  // the framed versions only
  footer_at,
  tail_version,
  tail_second,
  counters,
  times,
  true_pixels,
  overwritten_at,
  overwritten_bytes,  // v7 only
};

struct Place {
  std::int64_t at = -1;  // -1: the version has no such field
  int bytes = 4;
};

/// A valid file in memory, with everything that is needed to find one's way in it.
struct Patient {
  DcimgSettings settings;
  DcimgLayout layout;
  Bytes bytes;

  bool packed() const { return settings.version == DcimgVersion::v7; }
  std::int64_t frames() const { return settings.frames; }
  std::int64_t session() const { return layout.header_size; }
  std::int64_t data() const { return session() + layout.data_offset; }
  std::int64_t frame_at(std::int64_t i) const { return data() + i * layout.stride; }
  std::int64_t frames_end() const { return session() + layout.frames_end; }
  Place place(Field field) const;
  void set(Field field, std::uint64_t value);
  void cut(std::int64_t size) { bytes.resize(static_cast<std::size_t>(size)); }
  void damage_overwrite_block(std::int64_t at, std::uint32_t value);
};

Place place_in_packed(Field field, std::int64_t session, std::int64_t tail) {
  constexpr std::int64_t kSecond = 0xA0;
  switch (field) {
    case Field::frames:
      return {session + 0x20};
    case Field::pixel_bytes:
      return {session + 0x24};
    case Field::columns:
      return {session + 0x2C};
    case Field::row_bytes:
      return {session + 0x30};
    case Field::rows:
      return {session + 0x34};
    case Field::image_bytes:
      return {session + 0x38};
    case Field::data_offset:
      return {session + 0x44};
    case Field::footer_at:
      return {session + 0x48, 8};
    case Field::tail_version:
      return {tail};
    case Field::tail_second:
      return {tail + 0x08, 8};
    case Field::counters:
      return {tail + kSecond + 0x30, 8};
    case Field::times:
      return {tail + kSecond + 0x40, 8};
    case Field::true_pixels:
      return {tail + kSecond + 0x58, 8};
    case Field::overwritten_at:
      return {tail + kSecond + 0x64};
    case Field::overwritten_bytes:
      return {tail + kSecond + 0x68, 8};
    default:
      return {};
  }
}

Place place_in_framed(Field field, std::int64_t session) {
  switch (field) {
    case Field::frames:
      return {session + 0x3C};
    case Field::pixel_bytes:
      return {session + 0x40};
    case Field::columns:
      return {session + 0x48};
    case Field::rows:
      return {session + 0x4C};
    case Field::row_bytes:
      return {session + 0x50};
    case Field::image_bytes:
      return {session + 0x54};
    case Field::data_offset:
      return {session + 0x60, 8};
    case Field::stride:
      return {session + 0x74};
    case Field::footer_size:
      return {session + 0x7C};
    default:
      return {};
  }
}

Place Patient::place(Field field) const {
  switch (field) {
    case Field::version:
      return {0x08};
    case Field::sessions:
      return {0x20};
    case Field::file_frames:
      return {0x24};
    case Field::header_size:
      return {0x28};
    case Field::file_bytes:
      return {0x30, 8};
    case Field::file_bytes_again:
      return {0x40, 8};
    case Field::session_bytes:
      return {session(), 8};
    default:
      return packed() ? place_in_packed(field, session(), frames_end()) : place_in_framed(field, session());
  }
}

void Patient::set(Field field, std::uint64_t value) {
  const Place p = place(field);
  if (p.at < 0) return;
  std::memcpy(bytes.data() + p.at, &value, static_cast<std::size_t>(p.bytes));
}

/// Changes the number at `at` of the block that tells where pixels are overwritten.
void Patient::damage_overwrite_block(std::int64_t at, std::uint32_t value) {
  for (std::int64_t entry = session() + kBlockTable;; entry += 16) {
    std::uint32_t kind = 0;
    std::uint64_t offset = 0;
    std::memcpy(&kind, bytes.data() + entry, 4);
    std::memcpy(&offset, bytes.data() + entry + 8, 8);
    if (kind != 4) continue;
    std::memcpy(bytes.data() + session() + kBlockOrigin + static_cast<std::int64_t>(offset) + at, &value, 4);
    return;
  }
}

enum class Of { all, packed, framed, v1, overwriting };

struct Expectation {
  Outcome outcome;
  std::int64_t fewer_at_most = 0, fewer_at_least = 0;  // frames than were written
  bool none = false;                                   // no frame at all
};
constexpr Expectation kRefused{Outcome::refused};
constexpr Expectation kReadable{Outcome::readable};
constexpr Expectation kOverwritten{Outcome::overwritten};
constexpr Expectation kEither{Outcome::readable_or_refused};
constexpr Expectation kNoFrame{Outcome::partial, 0, 0, true};

struct Damage {
  const char* name;
  Of of;
  Expectation expectation;
  std::function<void(Patient&)> inflict;
};

struct Value {
  Field field;
  std::uint64_t value;
};

std::function<void(Patient&)> put(std::vector<Value> values) {
  return [values = std::move(values)](Patient& p) {
    for (const Value& v : values) p.set(v.field, v.value);
  };
}

std::uint64_t u(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

std::vector<Damage> container_damages() {
  return {
      {"empty file", Of::all, kRefused, [](Patient& p) { p.cut(0); }},
      {"only the magic", Of::all, kRefused, [](Patient& p) { p.cut(8); }},
      {"another magic", Of::all, kRefused, [](Patient& p) { p.bytes[4] = 'H'; }},
      {"magic without its zeros", Of::all, kRefused,
       [](Patient& p) { std::memcpy(p.bytes.data() + 5, "xyz", 3); }},
      {"cut in the file header", Of::all, kRefused, [](Patient& p) { p.cut(0x2A); }},
      {"cut before the session", Of::all, kRefused, [](Patient& p) { p.cut(p.session()); }},
      {"cut in the session header", Of::all, kRefused, [](Patient& p) { p.cut(p.session() + 0x30); }},
      {"cut before the first frame", Of::all, kNoFrame, [](Patient& p) { p.cut(p.data()); }},
      {"version 3", Of::all, kRefused, put({{Field::version, 0x03000000}})},
      {"version 0", Of::all, kRefused, put({{Field::version, 0}})},
      {"version 8", Of::all, kRefused, put({{Field::version, 8}})},
      {"version in the other byte order", Of::all, kRefused,
       [](Patient& p) { std::reverse(p.bytes.begin() + 8, p.bytes.begin() + 12); }},
      {"header size 0", Of::all, kRefused, put({{Field::header_size, 0}})},
      {"header size behind the end", Of::all, kRefused, put({{Field::header_size, 0x7FFFFFF0}})},
      {"header size 2^32-1", Of::all, kRefused, put({{Field::header_size, kMax32}})},
      {"no sessions", Of::all, kReadable, put({{Field::sessions, 0}})},
      {"2^32-1 sessions", Of::all, kReadable, put({{Field::sessions, kMax32}})},
      {"file size 0", Of::all, kReadable, put({{Field::file_bytes, 0}, {Field::file_bytes_again, 0}})},
      {"file size too big", Of::all, kReadable,
       put({{Field::file_bytes, std::uint64_t{1} << 50}, {Field::file_bytes_again, std::uint64_t{1} << 50}})},
      {"file sizes differ", Of::all, kReadable, put({{Field::file_bytes_again, 1}})},
      {"garbage at the end", Of::all, kReadable,
       [](Patient& p) { p.bytes.insert(p.bytes.end(), 777, 0xA5); }},
  };
}

std::vector<Damage> cuts() {
  return {
      {"cut in a frame",
       Of::all,
       {Outcome::partial, 2, 2},
       [](Patient& p) { p.cut(p.frame_at(p.frames() - 2) + p.layout.image_bytes / 2); }},
      {"cut in the second row", Of::all, kNoFrame,
       [](Patient& p) { p.cut(p.data() + p.layout.row_bytes + 3); }},
      {"cut before the last byte of the first frame", Of::all, kNoFrame,
       [](Patient& p) { p.cut(p.data() + p.layout.image_bytes - 1); }},
      {"cut in the last frame's footer",
       Of::framed,
       {Outcome::overwritten, 1, 0},
       [](Patient& p) { p.cut(p.frame_at(p.frames() - 1) + p.layout.image_bytes + 4); }},
      {"cut behind the frames", Of::framed, kReadable, [](Patient& p) { p.cut(p.frames_end()); }},
      {"cut behind the frames", Of::packed, kOverwritten, [](Patient& p) { p.cut(p.frames_end()); }},
      {"cut in the footer", Of::packed, kOverwritten, [](Patient& p) { p.cut(p.frames_end() + 0xC0); }},
      {"cut in the true pixels", Of::packed, kOverwritten,
       [](Patient& p) { p.cut(p.frames_end() + 0x110 + 12 * p.frames() + 4); }},
  };
}

std::vector<Damage> count_damages() {
  const auto three_more = [](Patient& p) {
    put({{Field::frames, u(p.frames() + 3)}, {Field::file_frames, u(p.frames() + 3)}})(p);
  };
  return {
      {"three frames too many", Of::framed, {Outcome::partial}, three_more},
      {"three frames too many", Of::packed, kOverwritten, three_more},
      {"2^32-1 frames",
       Of::all,
       {Outcome::partial},
       put({{Field::frames, kMax32}, {Field::file_frames, kMax32}})},
      {"frame counts differ", Of::all, kReadable,
       [](Patient& p) { p.set(Field::file_frames, u(p.frames() + 5)); }},
      {"no frames in the file header", Of::all, kReadable, put({{Field::file_frames, 0}})},
      {"no frames", Of::all, kRefused, put({{Field::frames, 0}, {Field::file_frames, 0}})},
      {"still being written", Of::framed, kRefused,
       [](Patient& p) {
         put({{Field::frames, 0},
              {Field::file_frames, 0},
              {Field::file_bytes, 0},
              {Field::file_bytes_again, 0},
              {Field::session_bytes, 0}})(p);
         p.cut(p.frame_at(p.frames() - 1) + p.layout.image_bytes / 3);
       }},
  };
}

std::vector<Damage> geometry_damages() {
  using F = Field;
  return {
      {"no columns", Of::all, kRefused, put({{F::columns, 0}})},
      {"no rows", Of::all, kRefused, put({{F::rows, 0}})},
      {"nothing at all", Of::all, kRefused,
       put({{F::columns, 0}, {F::rows, 0}, {F::row_bytes, 0}, {F::image_bytes, 0}})},
      {"row bytes 0", Of::all, kRefused, put({{F::row_bytes, 0}})},
      {"rows shorter than their pixels", Of::all, kRefused,
       [](Patient& p) {
         const std::int64_t row = p.layout.row_bytes - 2;
         put({{F::row_bytes, u(row)}, {F::image_bytes, u(row * p.settings.rows)}})(p);
       }},
      {"image bytes not rows times row bytes", Of::all, kRefused,
       [](Patient& p) { p.set(F::image_bytes, u(p.layout.image_bytes + 2)); }},
      {"image bytes 0", Of::all, kRefused, put({{F::image_bytes, 0}})},
      {"0 bytes per pixel", Of::all, kRefused, put({{F::pixel_bytes, 0}})},
      {"3 bytes per pixel", Of::all, kRefused, put({{F::pixel_bytes, 3}})},
      {"12 bytes per pixel", Of::all, kRefused, put({{F::pixel_bytes, 12}})},
      {"2^32-1 bytes per pixel", Of::all, kRefused, put({{F::pixel_bytes, kMax32}})},
      {"everything 2^32-1", Of::all, kRefused,
       put({{F::columns, kMax32},
            {F::rows, kMax32},
            {F::row_bytes, kMax32},
            {F::image_bytes, kMax32},
            {F::frames, kMax32}})},
      {"product that is 0 in 32 bits", Of::all, kRefused,
       put({{F::columns, 0x10000}, {F::rows, 0x10000}, {F::row_bytes, 0x20000}, {F::image_bytes, 0}})},
      {"product that matches in 32 bits", Of::all, kRefused,
       put({{F::columns, 0x10001},
            {F::rows, 0x10001},
            {F::row_bytes, 0x20002},
            {F::image_bytes, 0x00040002},
            {F::frames, 1}})},
      {"sizes that wrap in 32 and 64 bits", Of::all, kRefused,
       put({{F::columns, 0x7FFFFFFF},
            {F::rows, 1},
            {F::row_bytes, 0xFFFFFFFE},
            {F::image_bytes, 0xFFFFFFFE},
            {F::footer_size, 0xFFFFFFFE},
            {F::stride, 0xFFFFFFFC},
            {F::frames, kMax32},
            {F::footer_at, kMax64 - 7}})},
      {"negative number of columns", Of::all, kRefused, put({{F::columns, 0x80000000}})},
      {"pixels behind the end", Of::all, kRefused,
       [](Patient& p) { p.set(F::data_offset, p.bytes.size() + 4096); }},
      {"pixels at the largest offset", Of::all, kRefused, put({{F::data_offset, kMax64}})},
      {"pixels at an offset that wraps", Of::framed, kRefused,
       [](Patient& p) { p.set(F::data_offset, std::uint64_t{0} - u(p.session())); }},
      {"pixels in the session header", Of::all, kRefused, put({{F::data_offset, 0}})},
      {"pixels at an odd offset", Of::v1, kReadable,
       [](Patient& p) {
         p.bytes.insert(p.bytes.begin() + p.data(), 0);
         put({{F::data_offset, u(p.layout.data_offset + 1)},
              {F::file_bytes, p.bytes.size()},
              {F::file_bytes_again, p.bytes.size()}})(p);
       }},
      {"footer size 0", Of::framed, kEither, put({{F::footer_size, 0}})},
      {"footer size 2^32-1", Of::framed, kEither, put({{F::footer_size, kMax32}})},
      {"stride 0", Of::framed, kEither, put({{F::stride, 0}})},
      {"stride smaller than a frame", Of::framed, kEither,
       [](Patient& p) { p.set(F::stride, u(p.layout.image_bytes - 1)); }},
      {"neither stride nor footer size", Of::framed, kRefused, put({{F::stride, 0}, {F::footer_size, 0}})},
  };
}

/// Sets where pixels are overwritten, and how many bytes, in the way of the version.
void set_overwritten(Patient& p, std::uint32_t at, std::uint32_t bytes) {
  if (p.packed()) {
    p.set(Field::overwritten_at, at);
    p.set(Field::overwritten_bytes, bytes);
  } else {
    p.damage_overwrite_block(16, at);
    p.damage_overwrite_block(12, bytes);
  }
}

std::vector<Damage> table_damages() {
  using F = Field;
  constexpr std::uint64_t kFar = std::uint64_t{1} << 40;
  return {
      {"overwritten pixels outside the frame", Of::overwriting, kOverwritten,
       [](Patient& p) { set_overwritten(p, static_cast<std::uint32_t>(p.layout.image_bytes + 64), 8); }},
      {"overwritten pixels across the end of a row", Of::overwriting, kOverwritten,
       [](Patient& p) {
         const std::int64_t row = p.layout.overwritten_at / p.layout.row_bytes;
         set_overwritten(
             p, static_cast<std::uint32_t>((row + 1) * p.layout.row_bytes - p.settings.row_padding - 2), 8);
       }},
      {"2^31-1 overwritten bytes", Of::overwriting, kOverwritten,
       [](Patient& p) {
         set_overwritten(p, static_cast<std::uint32_t>(p.layout.overwritten_at), 0x7FFFFFFF);
       }},
      {"true pixels behind the end", Of::packed, kOverwritten, put({{F::true_pixels, kFar}})},
      {"footer of another version", Of::packed, kOverwritten, put({{F::tail_version, 9}})},
      {"second structure behind the end", Of::packed, kOverwritten, put({{F::tail_second, kFar}})},
      {"stamps behind the end",
       Of::packed,
       {Outcome::readable_no_stamps},
       put({{F::times, kFar}, {F::counters, kFar}})},
      {"footer behind the end", Of::packed, kOverwritten, put({{F::footer_at, kFar}})},
      {"footer at the largest offset", Of::packed, kOverwritten, put({{F::footer_at, kMax64}})},
  };
}

bool applies(Of of, const Patient& p) {
  switch (of) {
    case Of::all:
      return true;
    case Of::packed:
      return p.packed();
    case Of::framed:
      return !p.packed();
    case Of::v1:
      return p.settings.version == DcimgVersion::v1 || p.settings.version == DcimgVersion::v1_5;
    case Of::overwriting:
      return p.layout.overwritten_at >= 0;
  }
  return false;
}

Patient healthy(const DcimgSettings& settings, const std::filesystem::path& folder) {
  const auto path = folder / "healthy.dcimg";
  write_dcimg_sample(path, {"healthy", {settings}});
  std::ifstream in(path, std::ios::binary);
  return {settings, dcimg_layout(settings), Bytes(std::istreambuf_iterator<char>(in), {})};
}

}  // namespace

std::vector<DamagedDcimg> damaged_dcimgs(const DcimgSettings& settings,
                                         const std::filesystem::path& scratch_folder) {
  const Patient original = healthy(settings, scratch_folder);
  std::vector<DamagedDcimg> all;
  for (const auto& group :
       {container_damages(), cuts(), count_damages(), geometry_damages(), table_damages()})
    for (const Damage& damage : group) {
      if (!applies(damage.of, original)) continue;
      Patient patient = original;
      damage.inflict(patient);
      const Expectation& e = damage.expectation;
      all.push_back({damage.name, std::move(patient.bytes), e.outcome,
                     e.none ? 0 : settings.frames - e.fewer_at_most,
                     e.none ? 0 : settings.frames - e.fewer_at_least});
    }
  return all;
}

}  // namespace spim::test
