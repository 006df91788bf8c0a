#include "support/dcimg_files.hpp"

#include <stdexcept>

namespace spim::test {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

DcimgSettings small(DcimgVersion version) {
  DcimgSettings s;
  s.version = version;
  s.frames = 5;
  s.rows = 40;
  s.columns = 64;
  s.padding_value = 0xEE;
  return s;
}

/// A USB camera's: its footer of 16 bytes has no room for true pixels, and it overwrites none.
DcimgSettings usb(DcimgSettings s) {
  s.footer_size = 16;
  s.overwritten_pixels = false;
  return s;
}

template <class Change>
DcimgSettings changed(DcimgSettings s, Change change) {
  change(s);
  return s;
}

/// The numbers of three published recordings, as far as they are known.
std::vector<DcimgSample> like_published_files() {
  DcimgSettings cells = small(DcimgVersion::v7);
  cells.frames = 10, cells.rows = 168, cells.columns = 2048;
  cells.sensor_y = 940, cells.overwritten_row = 83;
  cells.first_microseconds = 1'511'904'855 * kSecond + 664'884;
  DcimgSettings one_cell = small(DcimgVersion::v1);
  one_cell.frames = 1, one_cell.rows = 168, one_cell.columns = 2048;
  one_cell.data_offset = 784, one_cell.sensor_y = 940, one_cell.overwritten_row = 83;
  one_cell.first_microseconds = 1'725'555'197 * kSecond + 563'737;
  one_cell.serial = "S/N: 001634";
  DcimgSettings beads = usb(small(DcimgVersion::v1));
  beads.frames = 1, beads.rows = 200, beads.columns = 2048;
  beads.data_offset = 880, beads.sensor_y = 1004;
  beads.model = "C15440-20UP", beads.serial = "S/N: 501542";
  return {
      {"published_v7_cells", {cells}}, {"published_v1_cell", {one_cell}}, {"published_v1_beads", {beads}}};
}

std::vector<DcimgSample> packed_samples() {
  const DcimgSettings v7 = small(DcimgVersion::v7);
  return {
      {"v7", {v7}},
      {"v7_first_row", {changed(v7, [](auto& s) { s.overwritten_row = 0; })}},
      {"v7_nothing_overwritten", {changed(v7, [](auto& s) { s.overwritten_pixels = false; })}},
      {"v7_padded", {changed(v7, [](auto& s) { s.row_padding = 48; })}},
      {"v7_uint8", {changed(v7, [](auto& s) { s.type = PixelType::u8; })}},
      {"v7_one_frame", {changed(v7, [](auto& s) { s.frames = 1; })}},
      {"v7_two_sessions",
       {changed(v7, [](auto& s) { s.frames = 3; }),
        changed(v7, [](auto& s) { s.frames = 2, s.rows = 24, s.columns = 32, s.first_counter = 70; })}},
  };
}

std::vector<DcimgSample> framed_samples() {
  const DcimgSettings v1 = small(DcimgVersion::v1);
  const auto no_pixels_at = [&v1](std::int64_t sensor_y) {
    return changed(
        v1, [sensor_y](auto& s) { s.overwritten_pixels = false, s.footer_size = 32, s.sensor_y = sensor_y; });
  };
  return {
      {"v1", {v1}},
      {"v1_first_pixel_864", {changed(v1, [](auto& s) { s.data_offset = 752; })}},
      {"v1_usb", {usb(v1)}},
      {"v1_usb_camera_block_in_front", {changed(usb(v1), [](auto& s) { s.camera_offset = 512; })}},
      {"v1_usb_first_pixel_872", {changed(usb(v1), [](auto& s) { s.data_offset = 760; })}},
      {"v1_padded", {changed(v1, [](auto& s) { s.row_padding = 16; })}},
      {"v1_padded_at_start",
       {changed(v1, [](auto& s) { s.row_padding = 16, s.padding_side = DcimgPadding::start; })}},
      {"v1_uint8", {changed(v1, [](auto& s) { s.type = PixelType::u8; })}},
      {"v1_uint8_usb", {changed(usb(v1), [](auto& s) { s.type = PixelType::u8; })}},
      {"v1_binned", {changed(v1, [](auto& s) { s.binning = 2; })}},
      {"v1_view_below_row_1023", {no_pixels_at(1200)}},
      {"v1_view_ends_at_row_1023", {no_pixels_at(1023 - 40)}},
      {"v1_without_blocks", {changed(v1, [](auto& s) { s.blocks = false; })}},
      {"v1_dropped_frames",
       {changed(v1,
                [](auto& s) {
                  s.dropped_before = {2, 4}, s.first_counter = 100;
                })}},
      {"v1_without_tail", {changed(v1, [](auto& s) { s.tail = false; })}},
      {"v1_full_sensor",
       {changed(v1,
                [](auto& s) {
                  s.frames = 2, s.rows = s.columns = 2048, s.sensor_y = 0, s.overwritten_row = 1023;
                })}},
      {"v1_one_frame", {changed(v1, [](auto& s) { s.frames = 1; })}},
      {"v1_footer_512", {changed(v1, [](auto& s) { s.footer_size = 512; })}},
      {"v1_counter_wraps",
       {changed(v1,
                [](auto& s) {
                  s.first_counter = 0xFFFFFFFE, s.first_microseconds = 1'600'000'000 * kSecond + 999'990;
                })}},
      {"v1_two_sessions",
       {changed(v1, [](auto& s) { s.frames = 3; }),
        changed(v1, [](auto& s) { s.frames = 2, s.rows = 24, s.columns = 32, s.first_counter = 70; })}},
      {"v1.5", {small(DcimgVersion::v1_5)}},
  };
}

std::vector<DcimgSample> v2_samples() {
  const DcimgSettings v2 = small(DcimgVersion::v2);
  return {
      {"v2", {v2}},
      {"v2_nothing_overwritten", {changed(v2, [](auto& s) { s.overwritten_pixels = false; })}},
      {"v2_footer_fills_512", {changed(v2, [](auto& s) { s.rows = 41, s.columns = 66; })}},
      {"v2_padded", {changed(v2, [](auto& s) { s.row_padding = 128; })}},
      {"v2_uint8", {changed(v2, [](auto& s) { s.type = PixelType::u8; })}},
  };
}

}  // namespace

std::vector<DcimgSample> valid_dcimg_samples() {
  std::vector<DcimgSample> all;
  for (const auto& some : {packed_samples(), framed_samples(), v2_samples(), like_published_files()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

DcimgSample valid_dcimg_sample(const std::string& name) {
  for (DcimgSample& sample : valid_dcimg_samples())
    if (sample.name == name) return std::move(sample);
  throw std::logic_error("no sample is called " + name);
}

std::uint16_t dcimg_pixel(const DcimgSettings& s, std::int64_t frame, std::int64_t row, std::int64_t column) {
  const std::int64_t modulus = s.type == PixelType::u8 ? 241 : 65'003;
  return static_cast<std::uint16_t>((frame * 733 + row * 151 + column * 17 + s.first_counter + 3) % modulus);
}

void write_dcimg_sample(const std::filesystem::path& path, const DcimgSample& sample) {
  DcimgWriter writer(path, sample.settings());
  for (std::size_t i = 0; i < sample.sessions.size(); ++i) {
    const DcimgSettings& s = sample.sessions[i];
    if (i > 0) writer.next_session(s);
    std::vector<std::uint16_t> pixels(static_cast<std::size_t>(s.rows * s.columns));
    for (std::int64_t frame = 0; frame < s.frames; ++frame) {
      for (std::int64_t row = 0; row < s.rows; ++row)
        for (std::int64_t x = 0; x < s.columns; ++x)
          pixels[static_cast<std::size_t>(row * s.columns + x)] = dcimg_pixel(s, frame, row, x);
      writer.write({pixels.data(), s.rows, s.columns, s.columns});
    }
  }
  writer.close();
}

}  // namespace spim::test
