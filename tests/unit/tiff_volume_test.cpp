// link: spim_tiff
/// TIFF volumes: round trips by value, sizes that no test disk holds, and what is refused. What other
/// programs say of them is in formats/tiff_test.py.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "plugins/writers/tiff/tiff_metadata.hpp"
#include "plugins/writers/tiff/tiff_options.hpp"
#include "plugins/writers/tiff/tiff_volume.hpp"
#include "plugins/writers/tiff/tiff_writer.hpp"
#include "spim/error.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"
#include "support/temporary_folder.hpp"
#include "support/volume_round_trip.hpp"

namespace {

using namespace spim;
using testing::HasSubstr;

VolumeSpec spec_of(Index3 shape, Index3 chunk = {}, std::int32_t levels = 1,
                   PixelType type = PixelType::u16) {
  VolumeSpec spec;
  spec.shape = shape;
  spec.chunk = chunk;
  spec.levels = levels;
  spec.type = type;
  spec.voxel_um = {1.28, 1.8, 1.25};
  spec.origin_um = {10, -20, 30.5};
  spec.name = "a <name> & more";
  return spec;
}

class TiffVolumes : public testing::Test {
 protected:
  std::unique_ptr<TiffWriter> writer(const std::map<std::string, std::string>& given = {}) {
    const test::TableOptions options(tiff::kWriterOptions, given);
    return std::make_unique<TiffWriter>(host_, options.options(), path());
  }
  std::string path() const { return folder_ / "v.tif"; }
  TiffVolume reader() { return TiffVolume(host_, {}, path()); }
  void remove() { std::filesystem::remove(path()); }

  test::RecordingHost host_;
  test::TemporaryFolder folder_;
};

TEST_F(TiffVolumes, ComeBackFromEveryEncodingOnSeveralThreads) {
  for (const char* compression : {"none", "deflate", "zstd"})
    for (const char* predictor : {"false", "true"})
      for (const PixelType type : {PixelType::u8, PixelType::u16})
        for (const Index3 chunk : {Index3{0, 0, 0}, Index3{53, 7, 1}, Index3{20, 30, 4}}) {
          SCOPED_TRACE(testing::Message() << compression << predictor << chunk.x);
          const VolumeSpec spec = spec_of({53, 67, 5}, chunk, 3, type);
          const auto voxel = test::scrambled(type == PixelType::u8 ? 255 : 65535);
          const auto output = writer({{"compression", compression}, {"predictor", predictor}});
          test::write_volume(*output, spec, voxel, 3);
          TiffVolume volume = reader();
          EXPECT_EQ(test::difference(volume, spec, voxel), "");
          EXPECT_EQ(volume.level(1).origin_um, (Vec3{10.64, -19.1, 31.125}));
          remove();
        }
}

TEST_F(TiffVolumes, AreBigTiffWhereOffsetsDemandIt) {
  const auto output = writer();
  VolumeSpec spec = spec_of({70'001, 65'537, 1}, {0, 64, 0});
  spec.chunk = output->chunk_shape(spec);
  output->begin(spec);
  const Index3 grid = ceil_div(spec.shape, spec.chunk);
  ASSERT_EQ(grid.x, 1);
  std::vector<std::uint16_t> last(static_cast<std::size_t>(spec.shape.x));
  last.back() = 77;
  for (std::int64_t y = 0; y + 1 < grid.y; ++y) output->write_zero({0, {0, y, 0}});
  output->write({0, {0, grid.y - 1, 0}}, as_const(dense_view(last.data(), Index3{spec.shape.x, 1, 1})));
  output->finish();
  test::Described described;
  output->describe(described);
  EXPECT_EQ(described.values.at("format"), "BigTIFF");
  EXPECT_LT(std::filesystem::file_size(path()), 4 << 20);  // zeros are stored once
  TiffVolume volume = reader();
  EXPECT_EQ(volume.level(0).shape, spec.shape);
  std::uint16_t voxel = 0;
  const Index3 one{1, 1, 1};
  volume.read(0, {spec.shape - one, spec.shape}, dense_view(&voxel, one));
  EXPECT_EQ(voxel, 77);
}

TEST_F(TiffVolumes, OfThousandsOfPagesAreReadFromAnyOfThem) {
  const VolumeSpec spec = spec_of({3, 2, 5000});
  const auto voxel = test::scrambled(65535);
  test::write_volume(*writer(), spec, voxel);
  TiffVolume volume = reader();
  EXPECT_EQ(volume.level(0).shape, spec.shape);
  for (const std::int64_t z : {4999, 0, 2500})
    EXPECT_EQ(test::difference(volume, 0, {{0, 0, z}, {3, 2, z + 1}}, voxel), "");
}

TEST_F(TiffVolumes, OfOmeTiffKeepAllPlanesInEachLevel) {
  const VolumeSpec spec = spec_of({100, 70, 3}, {}, 3);
  const auto voxel = test::scrambled(65535);
  test::write_volume(*writer({{"ome", "true"}, {"tile", "64"}}), spec, voxel, 2);
  TiffVolume volume = reader();
  ASSERT_EQ(volume.info().levels, 3);
  EXPECT_EQ(volume.level(2).shape, (Index3{25, 18, 3}));
  EXPECT_EQ(volume.level(1).voxel_um, (Vec3{2.56, 3.6, 1.25}));
  EXPECT_EQ(volume.level(0).chunk, (Index3{64, 64, 1}));
  EXPECT_EQ(volume.level(2).chunk, (Index3{16, 16, 1}));
  const Box whole{{}, spec.shape};
  EXPECT_EQ(test::difference(volume, 0, whole, voxel), "");
  std::uint16_t corner = 0;
  volume.read(1, {{7, 9, 2}, {8, 10, 3}}, dense_view(&corner, Index3{1, 1, 1}));
  const auto at = [&](std::int64_t x, std::int64_t y) { return std::uint32_t{voxel(0, {x, y, 2})}; };
  EXPECT_EQ(corner, (at(14, 18) + at(15, 18) + at(14, 19) + at(15, 19) + 2) / 4);
}

TEST_F(TiffVolumes, WithAChunkMissingAreNotFinished) {
  const auto output = writer();
  VolumeSpec spec = spec_of({10, 10, 2});
  spec.chunk = output->chunk_shape(spec);
  output->begin(spec);
  output->write_zero({0, {0, 0, 0}});
  try {
    output->finish();
    ADD_FAILURE() << "finished";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("chunk (0,0,1) of level 0"));
  }
  EXPECT_THROW(reader(), Error);
}

TEST_F(TiffVolumes, RefuseOptionsThatCannotBe) {
  EXPECT_THROW(writer({{"tile", "20"}}), UsageError);
  EXPECT_THROW(writer({{"level", "13"}}), UsageError);
  EXPECT_NO_THROW(writer({{"level", "13"}, {"compression", "zstd"}}));
}

TEST(TiffMetadata, SaysNothingOfWhatIsNotKnown) {
  VolumeSpec spec;
  spec.shape = {4, 3, 1};
  const std::string text = tiff::imagej_description({spec, "", ""});
  for (const char* word : {"unit", "voxel_um", "frame", "time", "source", "counter", "images"})
    EXPECT_EQ(text.find(word), std::string::npos) << text;
  EXPECT_EQ(tiff::lengths_of(text).voxel_um, Vec3{});
  EXPECT_EQ(tiff::date_time(spec.stamp), "");
}

TEST(TiffMetadata, KeepsNamesOnTheirLinesAndLengthsToTheLastDigit) {
  VolumeSpec spec = spec_of({4, 3, 9});
  spec.voxel_um.z = 1.8 / 1.4142135623730951;
  spec.first_frame = 12;
  spec.stamp = {true, true, 4294967295U, -1};
  const std::string text = tiff::imagej_description({spec, "two\nlines", "a.dcimg"});
  EXPECT_THAT(text, HasSubstr("\nname=two lines\n"));
  EXPECT_THAT(text, HasSubstr("\ncounter=4294967295\n"));
  EXPECT_THAT(text, HasSubstr("\ntime=1969-12-31T23:59:59.999999Z\n"));
  EXPECT_EQ(tiff::lengths_of(text).voxel_um, spec.voxel_um);
  EXPECT_EQ(tiff::lengths_of(text).origin_um, spec.origin_um);
  const std::string xml = tiff::ome_description({spec, "\xC2\xB5 <&>", "s"});
  EXPECT_THAT(xml, HasSubstr("Name=\"&#181; &#60;&#38;&#62;\""));
  EXPECT_EQ(tiff::lengths_of(xml).voxel_um, spec.voxel_um);
  for (const char c : xml) EXPECT_GT(c, 0);
}

TEST(TiffMetadata, UnderstandsUnitsOfOthers) {
  const auto voxel = [](const char* unit) {
    return tiff::lengths_of("<OME><Pixels PhysicalSizeX=\"2.5\" PhysicalSizeXUnit=\"" + std::string(unit) +
                            "\"/>")
        .voxel_um.x;
  };
  EXPECT_DOUBLE_EQ(voxel("nm"), 0.0025);
  EXPECT_DOUBLE_EQ(voxel("mm"), 2500);
  EXPECT_DOUBLE_EQ(voxel("\xC2\xB5m"), 2.5);
  EXPECT_DOUBLE_EQ(voxel("\xC3\x85"), 0.00025);
  EXPECT_DOUBLE_EQ(voxel("pixel"), 0);
  EXPECT_DOUBLE_EQ(voxel("micron or so"), 0);
}

TEST(TiffMetadata, TakesTheUnitOfImageJAndTheResolutionOfTheTags) {
  const auto voxel = [](const std::string& lines, Vec3 pixels) {
    return tiff::lengths_of("ImageJ=1.53k\n" + lines, pixels).voxel_um;
  };
  EXPECT_EQ(voxel("images=3\nunit=micron\nspacing=2.5\n", {2, 4, 0}), (Vec3{0.5, 0.25, 2.5}));
  EXPECT_EQ(voxel("spacing=-0.002\r\nunit=mm\r\n", {2000, 4000, 0}), (Vec3{0.5, 0.25, 2}));
  EXPECT_EQ(voxel("unit=um", {2, 4, 0}), (Vec3{0.5, 0.25, 0}));
  EXPECT_EQ(voxel("unit=um\nspacing=nan\n", {2, 4, 0}), (Vec3{0.5, 0.25, 0}));
  EXPECT_EQ(voxel("myunit=um\nspacing=2.5\n", {2, 4, 0}), Vec3{});
  EXPECT_EQ(voxel("unit=um\nspacing=2.5\n", {}), Vec3{});
  EXPECT_EQ(tiff::lengths_of("unit=um\nspacing=2.5\n", {2, 4, 0}).voxel_um, Vec3{});
}

}  // namespace
