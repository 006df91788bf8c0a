// link: spim_jp2
/// JPEG 2000 planes: what is written is read again, and what is damaged is refused in words.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "plugins/writers/jp2/bytes.hpp"
#include "plugins/writers/jp2/jp2_reader.hpp"
#include "plugins/writers/jp2/jp2_stack.hpp"
#include "plugins/writers/jp2/jp2_writer.hpp"
#include "spim/error.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"
#include "support/temporary_folder.hpp"
#include "support/volume_round_trip.hpp"

namespace {

using namespace spim;
using jp2::Jp2Reader;
using jp2::Jp2Writer;
using testing::HasSubstr;

VolumeSpec plane_spec(std::int64_t columns, std::int64_t rows, PixelType type = PixelType::u16) {
  VolumeSpec spec;
  spec.shape = {columns, rows, 1};
  spec.type = type;
  spec.voxel_um = {1.28, 1.8, 1.2727922061357855};
  spec.origin_um = {-40.5, 1000.25, 7};
  spec.name = "a plane";
  return spec;
}

/// Smooth structure with noise, as a camera sees it.
std::uint16_t tissue(Index3 at) {
  const auto wave = std::sin(static_cast<double>(at.x) / 9) * std::cos(static_cast<double>(at.y) / 13);
  return static_cast<std::uint16_t>(1000 + 700 * wave +
                                    static_cast<double>((at.x * 7919 + at.y * 104729) % 61));
}

class Jp2 : public testing::Test {
 protected:
  std::string write(const VolumeSpec& spec, const test::VoxelFunction& voxel,
                    std::map<std::string, std::string> given = {}) {
    const std::string path = (folder_ / fmt_name()).string();
    const test::TableOptions options(Jp2Writer::kOptions, std::move(given));
    Jp2Writer writer(host_, options.options(), path);
    test::write_volume(writer, spec, voxel);
    return path;
  }
  std::string write_tissue(std::map<std::string, std::string> given = {}) {
    return write(
        plane_spec(90, 70), [](std::int32_t, Index3 at) { return tissue(at); }, std::move(given));
  }

  /// What opening and reading everything of `bytes` complains about; "" when it is fine.
  std::string complaint(const std::string& bytes) {
    const auto path = folder_ / "damaged.jp2";
    test::write_file(path, bytes);
    try {
      Jp2Reader reader(host_, {}, path.string());
      const Index3 shape = reader.level(0).shape;
      std::vector<std::uint16_t> voxels(static_cast<std::size_t>(count(shape)));
      reader.read(0, {{}, shape}, dense_view(voxels.data(), shape));
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::StartsWith(path.string()));
      return error.what();
    }
    return "";
  }

  std::string refusal(VolumeSpec spec, std::map<std::string, std::string> given = {}) {
    try {
      write(spec, test::scrambled(100), std::move(given));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  test::RecordingHost host_;
  test::TemporaryFolder folder_;

 private:
  std::string fmt_name() { return std::to_string(++files_) + ".jp2"; }
  int files_ = 0;
};

TEST_F(Jp2, LosslessPlanesOfAnyShapeAreReadExactly) {
  for (const Index3 shape : {Index3{1, 1, 1}, {1, 9, 1}, {7, 1, 1}, {33, 65, 1}, {300, 41, 1}})
    for (const auto type : {PixelType::u8, PixelType::u16}) {
      const VolumeSpec spec = plane_spec(shape.x, shape.y, type);
      const auto voxel = test::scrambled(type == PixelType::u8 ? 255 : 65535);
      Jp2Reader reader(host_, {}, write(spec, voxel));
      EXPECT_EQ(test::difference(reader, spec, voxel), "") << shape.x << " x " << shape.y;
      EXPECT_EQ(reader.info().type, type);
    }
}

TEST_F(Jp2, TiledPlanesAreReadExactlyAndInParts) {
  const VolumeSpec spec = plane_spec(150, 101);
  const auto voxel = test::scrambled(65535);
  Jp2Reader reader(host_, {}, write(spec, voxel, {{"tile", "64"}}));
  EXPECT_EQ(test::difference(reader, spec, voxel), "");
  test::Described said;
  reader.describe(said);
  EXPECT_EQ(said.values.at("tile columns"), "64");
}

TEST_F(Jp2, PlanesOfOneValueAndOfZerosAreExact) {
  for (const std::uint16_t value : std::vector<std::uint16_t>{0, 1, 65535}) {
    const VolumeSpec spec = plane_spec(70, 50);
    const auto voxel = [&](std::int32_t, Index3) { return value; };
    for (const char* psnr : {"0", "30,60,0"}) {
      Jp2Reader reader(host_, {}, write(spec, voxel, {{"psnr", psnr}}));
      EXPECT_EQ(test::difference(reader, spec, voxel), "");
    }
  }
}

TEST_F(Jp2, LayersReachTheirSignalToNoiseRatio) {
  for (const double wanted : {40.0, 60.0, 80.0}) {
    const std::string path = write_tissue({{"psnr", "30," + std::to_string(wanted)}});
    Jp2Reader reader(host_, {}, path);
    std::vector<std::uint16_t> voxels(90 * 70);
    reader.read(0, {{}, {90, 70, 1}}, dense_view(voxels.data(), {90, 70, 1}));
    double sum = 0;
    for (std::int64_t i = 0; i < 90 * 70; ++i)
      sum +=
          std::pow(voxels[static_cast<std::size_t>(i)] - static_cast<double>(tissue({i % 90, i / 90, 0})), 2);
    const double psnr = 10 * std::log10(65535.0 * 65535.0 * 90 * 70 / sum);
    EXPECT_GE(psnr, wanted - 0.2);
    EXPECT_LE(psnr, wanted + 6);
  }
}

TEST_F(Jp2, PlaceAndNameOfThePlaneAreKept) {
  const std::string path = write_tissue();
  Jp2Reader reader(host_, {}, path);
  const VolumeSpec spec = plane_spec(90, 70);
  EXPECT_EQ(reader.level(0).voxel_um, spec.voxel_um);
  EXPECT_EQ(reader.level(0).origin_um, spec.origin_um);
  test::Described said;
  reader.describe(said);
  EXPECT_THAT(said.values.at("comment"), HasSubstr("a plane"));
  EXPECT_NEAR(std::stod(said.values.at("column pitch um")), 1.28, 1e-6);
  EXPECT_NEAR(std::stod(said.values.at("row pitch um")), 1.8, 1e-6);
}

TEST_F(Jp2, AStackGivesBackTheStampsOfItsFrames) {
  VolumeSpec spec = plane_spec(9, 8);
  spec.voxel_um = {1.8, 1.8, 0};  // the step is not known
  spec.source = "0.dcimg";
  spec.first_frame = 5;
  spec.stamp = {true, true, 4294967295U, 1'600'000'000'030'001};
  const auto voxel = test::scrambled(65535);
  const std::string path = write(spec, voxel);
  jp2::Jp2Stack stack(host_, {}, path);
  const FrameStamp stamp = stack.stamp(0);
  EXPECT_TRUE(stamp.has_counter);
  EXPECT_EQ(stamp.counter, spec.stamp.counter);
  EXPECT_TRUE(stamp.has_time);
  EXPECT_EQ(stamp.microseconds, spec.stamp.microseconds);
  EXPECT_EQ(Jp2Reader(host_, {}, path).level(0).voxel_um, spec.voxel_um);
  std::vector<std::uint16_t> rows(3 * 9);
  stack.read(0, 2, {rows.data(), 3, 9, 9});
  for (std::int64_t i = 0; i < 27; ++i)
    EXPECT_EQ(rows[static_cast<std::size_t>(i)], voxel(0, {i % 9, 2 + i / 9, 0}));
}

TEST_F(Jp2, WhatAFileCannotHoldIsRefused) {
  VolumeSpec planes = plane_spec(20, 20), levels = plane_spec(20, 20);
  planes.shape.z = 2;
  levels.levels = 2;
  EXPECT_THAT(refusal(planes), HasSubstr("pattern"));
  EXPECT_THAT(refusal(levels), HasSubstr("1 level"));
  EXPECT_THAT(refusal(plane_spec(1 << 20, 1 << 20)), HasSubstr("larger than"));
  EXPECT_THAT(refusal(plane_spec(20, 20), {{"psnr", "40,30"}}), HasSubstr("does not rise"));
  EXPECT_THAT(refusal(plane_spec(20, 20), {{"psnr", "0,30"}}), HasSubstr("lossless"));
  EXPECT_THAT(refusal(plane_spec(20, 20), {{"psnr", ""}}), HasSubstr("list of numbers"));
  EXPECT_THAT(refusal(plane_spec(20, 20), {{"psnr", "30;40"}}), HasSubstr("list of numbers"));
  EXPECT_THAT(refusal(plane_spec(20, 20), {{"psnr", "nan"}}), HasSubstr("not in 0 to 200"));
  VolumeSpec bytes = plane_spec(20, 20, PixelType::u8);
  EXPECT_THAT(refusal(bytes), "");
  const test::TableOptions options(Jp2Writer::kOptions, {});
  Jp2Writer writer(host_, options.options(), (folder_ / "u8.jp2").string());
  bytes.chunk = writer.chunk_shape(bytes);
  writer.begin(bytes);
  const std::vector<std::uint16_t> bright(400, 256);
  EXPECT_THROW(writer.write({}, dense_view(bright.data(), {20, 20, 1})), Error);
  EXPECT_THROW(writer.finish(), Error);
}

TEST_F(Jp2, AFileThatIsCutShortAnywhereIsRefused) {
  const std::string whole = test::read_file(write_tissue());
  for (std::size_t size = 0; size < whole.size(); size += size < 200 ? 1 : 97)
    EXPECT_NE(complaint(whole.substr(0, size)), "") << size;
  EXPECT_EQ(complaint(whole), "");
  EXPECT_THAT(complaint(whole.substr(0, whole.size() - 1)), HasSubstr("cut short or still being written"));
}

TEST_F(Jp2, ABareCodestreamIsReadAndRefusedWhenCutShort) {
  const std::string whole = test::read_file(write_tissue());
  const std::string bare = whole.substr(whole.find("\xFF\x4F\xFF\x51"));
  EXPECT_EQ(complaint(bare), "");
  for (std::size_t size = 0; size < bare.size(); size += size < 200 ? 1 : 97)
    EXPECT_NE(complaint(bare.substr(0, size)), "") << size;
}

/// The file with the `count` bytes of `value` at `at` behind the start of the codestream.
std::string patched(std::string file, std::size_t at, std::uint64_t value, std::size_t count) {
  std::vector<std::byte> bytes;
  jp2::append(bytes, value, count);
  const std::size_t start = file.find("\xFF\x4F\xFF\x51");
  for (std::size_t i = 0; i < count; ++i) file[start + at + i] = static_cast<char>(bytes[i]);
  return file;
}

TEST_F(Jp2, OtherImagesAreRefusedBeforeAnythingIsDecoded) {
  const std::string whole = test::read_file(write_tissue());
  constexpr std::size_t kWidth = 8, kTileWidth = 24, kComponents = 40, kDepth = 42;
  EXPECT_THAT(complaint(patched(whole, kComponents, 3, 2)), HasSubstr("3 components"));
  EXPECT_THAT(complaint(patched(whole, kDepth, 0x8F, 1)), HasSubstr("signed"));
  EXPECT_THAT(complaint(patched(whole, kDepth, 31, 1)), HasSubstr("32 bits"));
  EXPECT_THAT(complaint(patched(whole, kDepth + 1, 2, 1)), HasSubstr("subsampling"));
  EXPECT_THAT(complaint(patched(whole, kWidth, 0xFFFFFFF0, 4)), HasSubstr("claims"));
  EXPECT_THAT(complaint(patched(patched(whole, kWidth, 1 << 20, 4), kTileWidth, 1, 4)), HasSubstr("tiles"));
  EXPECT_THAT(complaint("II*\0 this is a TIFF file, more or less"), HasSubstr("not a JPEG 2000 file"));
}

TEST_F(Jp2, DamageInTheDataIsAnErrorOrChangesTheSizeOfNothing) {
  const std::string whole = test::read_file(write_tissue());
  for (std::size_t at = 12; at < whole.size(); at += 37) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    complaint(damaged);  // either reads something of the right size or says what is wrong
  }
}

TEST_F(Jp2, OneValueOfTheProbeForEachKindOfFile) {
  const std::string whole = test::read_file(write_tissue());
  const auto sure = [](const std::string& head) {
    return Jp2Reader::probe("", reinterpret_cast<const unsigned char*>(head.data()), head.size());
  };
  EXPECT_GT(sure(whole), 0);
  EXPECT_GT(sure(whole.substr(whole.find("\xFF\x4F\xFF\x51"))), 0);
  EXPECT_EQ(sure(""), 0);
  EXPECT_EQ(sure(whole.substr(0, 11)), 0);
}

}  // namespace
