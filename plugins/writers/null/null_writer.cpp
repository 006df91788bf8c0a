#include "null_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "common/file.hpp"
#include "common/volume_checks.hpp"

namespace spim::null {

namespace {

constexpr std::int64_t kDefaultChunk = 64;
constexpr std::size_t kLanes = 4;
constexpr std::size_t kVoxelsPerWord = 4;

/// Spreads every bit of `v` over all 64 (the finaliser of MurmurHash3, public domain).
constexpr std::uint64_t mix(std::uint64_t v) noexcept {
  v = (v ^ v >> 33) * 0xff51afd7ed558ccdU;
  v = (v ^ v >> 33) * 0xc4ceb9fe1a85ec53U;
  return v ^ v >> 33;
}

/// Four independent multiply-and-rotate chains: one alone would wait for each multiplication.
class Lanes {
 public:
  void add_row(const std::uint16_t* row, std::int64_t n) {
    std::int64_t x = 0;
    for (; x + static_cast<std::int64_t>(kLanes * kVoxelsPerWord) <= n; x += kLanes * kVoxelsPerWord)
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        add(lane, load(row + x + lane * kVoxelsPerWord, kVoxelsPerWord));
    for (std::size_t lane = 0; x < n; x += kVoxelsPerWord, ++lane)
      add(lane, load(row + x, std::min<std::int64_t>(kVoxelsPerWord, n - x)));
  }
  bool any() const noexcept { return seen_ != 0; }
  std::uint64_t value() const noexcept {
    std::uint64_t v = 0;
    for (const std::uint64_t lane : lanes_) v = mix(v ^ lane);
    return v;
  }

 private:
  static std::uint64_t load(const std::uint16_t* from, std::int64_t n) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, static_cast<std::size_t>(n) * 2);
    return word;
  }
  void add(std::size_t lane, std::uint64_t word) {
    seen_ |= word;
    const std::uint64_t v = (lanes_[lane] ^ word) * 0x9e3779b97f4a7c15U;
    lanes_[lane] = v << 29 | v >> 35;
  }
  std::array<std::uint64_t, kLanes> lanes_{1, 2, 3, 4};
  std::uint64_t seen_ = 0;
};

}  // namespace

std::uint64_t chunk_checksum(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) {
  Lanes lanes;
  for (std::int64_t z = 0; z < voxels.size.z; ++z)
    for (std::int64_t y = 0; y < voxels.size.y; ++y) lanes.add_row(voxels.row(y, z), voxels.size.x);
  if (!lanes.any()) return 0;
  std::uint64_t v = lanes.value();
  for (const std::int64_t part : {std::int64_t{chunk.level}, chunk.index.x, chunk.index.y, chunk.index.z,
                                  voxels.size.x, voxels.size.y, voxels.size.z})
    v = mix(v ^ static_cast<std::uint64_t>(part)) + 1;
  return v;
}

NullWriter::NullWriter(Host&, const Options&, std::string_view path) : path_(path) {}

Index3 NullWriter::chunk_shape(const VolumeSpec& spec) const {
  return chunked::chunk_or_default(spec, kDefaultChunk);
}

void NullWriter::begin(const VolumeSpec& spec) {
  chunked::check_spec(spec);
  spec_ = spec;
  spec_.name = "";  // borrowed
  for (std::int32_t level = 0; level < spec.levels; ++level) levels_.push_back(std::make_unique<Counters>());
}

void NullWriter::write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) {
  chunked::check_chunk(spec_, chunk, voxels.size);
  Counters& counters = *levels_[static_cast<std::size_t>(chunk.level)];
  const std::uint64_t checksum = chunk_checksum(chunk, voxels);
  counters.chunks += 1;
  if (checksum == 0) counters.zero_chunks += 1;
  counters.voxels += count(voxels.size);
  counters.checksum += checksum;
}

void NullWriter::write_zero(const ChunkAddress& chunk) {
  const Index3 size = chunked::chunk_size(spec_, chunk);
  Counters& counters = *levels_[static_cast<std::size_t>(chunk.level)];
  counters.chunks += 1;
  counters.zero_chunks += 1;
  counters.voxels += count(size);
}

void NullWriter::finish() {
  chunked::check_begun(spec_);
  nlohmann::ordered_json levels = nlohmann::ordered_json::array();
  for (const auto& counters : levels_)
    levels.push_back({{"chunks", counters->chunks.load()},
                      {"zero chunks", counters->zero_chunks.load()},
                      {"voxels", counters->voxels.load()},
                      {"checksum", fmt::format("{:016x}", counters->checksum.load())}});
  const nlohmann::ordered_json report{{"format", "null"},
                                      {"shape", {spec_.shape.x, spec_.shape.y, spec_.shape.z}},
                                      {"chunk", {spec_.chunk.x, spec_.chunk.y, spec_.chunk.z}},
                                      {"levels", levels}};
  chunked::write_text(path_, report.dump(2) + "\n");
}

void NullWriter::describe(MetadataSink& sink) {
  sink.text("format", "null");
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    const auto key = [&](const char* what) { return fmt::format("level {} {}", level, what); };
    const Counters& counters = *levels_[level];
    sink.integer(key("chunks"), counters.chunks);
    sink.integer(key("zero chunks"), counters.zero_chunks);
    sink.integer(key("voxels"), counters.voxels);
    sink.text(key("checksum"), fmt::format("{:016x}", counters.checksum.load()));
  }
}

}  // namespace spim::null
