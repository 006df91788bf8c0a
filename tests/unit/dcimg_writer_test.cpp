/// The writer of DCIMG files: what it refuses. What it writes is read by value in dcimg_reader_test.cpp.

#include "spim/host/dcimg_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "spim/error.hpp"
#include "support/dcimg_files.hpp"

namespace {

using spim::DcimgSettings;
using testing::HasSubstr;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const spim::Error& error) {
    return error.what();
  }
  return "no error";
}

DcimgSettings small() {
  return spim::test::valid_dcimg_sample("v1").settings();
}

const std::filesystem::path kPath = std::filesystem::path(testing::TempDir()) / "dcimg_writer_test.dcimg";

TEST(DcimgWriter, ReportsAFullDisk) {
  // /dev/full takes no byte, as a disk without room does.
  EXPECT_THAT(error_of([] { spim::DcimgWriter("/dev/full", small()); }),
              HasSubstr("/dev/full cannot be written: No space left on device"));
}

TEST(DcimgWriter, NamesAFolderThatIsNotThere) {
  EXPECT_THAT(error_of([] { spim::DcimgWriter("/nowhere/scan.dcimg", small()); }),
              HasSubstr("/nowhere/scan.dcimg cannot be created: No such file or directory"));
}

TEST(DcimgWriter, CompletesTheHeaderOnlyWhenAllFramesAreThere) {
  const DcimgSettings s = small();
  const auto frames_in_header = [] {
    std::ifstream in(kPath, std::ios::binary);
    in.seekg(0x24);
    std::uint32_t frames = 99;
    in.read(reinterpret_cast<char*>(&frames), 4);
    return frames;
  };
  {
    spim::DcimgWriter writer(kPath, s);
    writer.skip(4);
    EXPECT_THAT(error_of([&] { writer.close(); }), HasSubstr("has 4 frames of the 5"));
    EXPECT_EQ(frames_in_header(), 0U);
    writer.skip(1);
    EXPECT_THAT(error_of([&] { writer.skip(1); }), HasSubstr("has 5 frames already"));
    writer.close();
  }
  EXPECT_EQ(frames_in_header(), 5U);
  std::filesystem::remove(kPath);
}

TEST(DcimgWriter, RefusesFramesOfAnotherShapeOrRange) {
  DcimgSettings s = small();
  s.type = spim::PixelType::u8;
  std::vector<std::uint16_t> pixels(static_cast<std::size_t>(s.rows * s.columns), 255);
  spim::DcimgWriter writer(kPath, s);
  EXPECT_THAT(error_of([&] {
                writer.write({pixels.data(), s.rows, s.columns - 1, s.columns});
              }),
              HasSubstr("40 rows of 63 pixels"));
  pixels.back() = 256;
  EXPECT_THAT(error_of([&] {
                writer.write({pixels.data(), s.rows, s.columns, s.columns});
              }),
              HasSubstr("has the value 256, above the 255 of uint8"));
  std::filesystem::remove(kPath);
}

TEST(DcimgWriter, RefusesSettingsThatMakeNoFile) {
  const auto refusal = [](const std::function<void(DcimgSettings&)>& change) {
    DcimgSettings s = small();
    change(s);
    return error_of([&] { spim::dcimg_layout(s); });
  };
  EXPECT_THAT(refusal([](auto& s) { s.frames = 0; }), HasSubstr("a number of frames of 0"));
  EXPECT_THAT(refusal([](auto& s) { s.rows = s.columns = 50'000; }), HasSubstr("less than 4 GiB"));
  EXPECT_THAT(refusal([](auto& s) { s.overwritten_row = 40; }), HasSubstr("overwritten pixels in row 40"));
  EXPECT_THAT(refusal([](auto& s) { s.overwritten_column = 61; }),
              HasSubstr("overwritten pixels from column 61"));
  EXPECT_THAT(refusal([](auto& s) { s.footer_size = 16; }), HasSubstr("a frame footer of 16"));
  EXPECT_THAT(refusal([](auto& s) { s.data_offset = 64; }), HasSubstr("a data offset of 64"));
}

}  // namespace
