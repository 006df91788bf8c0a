// link: spim_zarr
/// OME-Zarr volumes: round trips by value, and what damaged metadata do. What python3-zarr says of them is in
/// formats/zarr_test.py.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plugins/writers/zarr/ome_metadata.hpp"
#include "plugins/writers/zarr/zarr_reader.hpp"
#include "plugins/writers/zarr/zarr_writer.hpp"
#include "spim/error.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"
#include "support/temporary_folder.hpp"
#include "support/volume_round_trip.hpp"

namespace {

namespace fs = std::filesystem;
using namespace spim;
using nlohmann::json;
using testing::HasSubstr;
using zarr::ZarrReader;
using zarr::ZarrWriter;

class Zarr : public testing::Test {
 protected:
  static VolumeSpec spec(Index3 shape, Index3 chunk, std::int32_t levels = 1,
                         PixelType type = PixelType::u16) {
    VolumeSpec s;
    s.shape = shape;
    s.chunk = chunk;
    s.levels = levels;
    s.type = type;
    s.voxel_um = {1.28, 1.8, 1.25};
    s.origin_um = {10, -20, 30.5};
    return s;
  }
  fs::path write(const VolumeSpec& s, const test::VoxelFunction& voxel, int threads = 1) {
    const test::TableOptions options(ZarrWriter::kOptions);
    const fs::path path = folder_ / ("volume" + std::to_string(++written_));
    ZarrWriter writer(host_, options.options(), path.string());
    test::write_volume(writer, s, voxel, threads);
    return path;
  }
  ZarrReader read(const fs::path& path) {
    const test::TableOptions options(ZarrReader::kOptions);
    return {host_, options.options(), path.string()};
  }
  std::string failure(const fs::path& path) {
    try {
      read(path);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  }

  test::RecordingHost host_;
  test::TemporaryFolder folder_;
  int written_ = 0;
};

struct Case {
  Index3 shape, chunk;
  std::int32_t levels;
  PixelType type;
};

class ZarrShapes : public Zarr, public testing::WithParamInterface<Case> {};

TEST_P(ZarrShapes, EveryVoxelComesBack) {
  const Case c = GetParam();
  const VolumeSpec s = spec(c.shape, c.chunk, c.levels, c.type);
  const auto voxel = test::scrambled(c.type == PixelType::u8 ? 255 : 65535);
  const fs::path path = write(s, voxel, 4);
  ZarrReader reader = read(path);
  EXPECT_EQ(test::difference(reader, s, voxel), "");
}

INSTANTIATE_TEST_SUITE_P(All, ZarrShapes,
                         testing::Values(Case{{1, 1, 1}, {0, 0, 0}, 1, PixelType::u16},
                                         Case{{5, 3, 2}, {64, 64, 64}, 4, PixelType::u8},
                                         Case{{129, 65, 67}, {64, 64, 64}, 3, PixelType::u16},
                                         Case{{101, 53, 31}, {7, 11, 13}, 2, PixelType::u16},
                                         Case{{101, 53, 31}, {32, 16, 8}, 2, PixelType::u8},
                                         Case{{1, 200, 1}, {1, 1, 1}, 1, PixelType::u16}));

TEST_F(Zarr, PlacesComeBackForEveryLevel) {
  ZarrReader reader = read(write(spec({40, 40, 40}, {64, 64, 64}, 3), test::scrambled(9)));
  for (std::int32_t level = 0; level < 3; ++level) {
    const double f = 1 << level;
    const LevelInfo info = reader.level(level);
    EXPECT_NEAR(info.voxel_um.x, f * 1.28, 1e-12);
    EXPECT_NEAR(info.voxel_um.z, f * 1.25, 1e-12);
    EXPECT_NEAR(info.origin_um.y, -20 + (f - 1) / 2 * 1.8, 1e-12);
    EXPECT_NEAR(info.origin_um.z, 30.5 + (f - 1) / 2 * 1.25, 1e-12);
  }
}

TEST_F(Zarr, AnAllZeroVolumeHasMetadataOnly) {
  const VolumeSpec s = spec({100, 100, 100}, {32, 32, 32}, 2);
  const auto zero = [](std::int32_t, Index3) { return std::uint16_t{0}; };
  const fs::path path = write(s, zero);
  ZarrReader reader = read(path);
  EXPECT_EQ(test::difference(reader, s, zero), "");
  test::Described described;
  reader.describe(described);
  EXPECT_EQ(described.values["stored chunks"], "0");
  EXPECT_EQ(described.values["chunks"], "72");
}

TEST_F(Zarr, NothingLooksCompleteBeforeFinish) {
  const test::TableOptions options(ZarrWriter::kOptions);
  const fs::path path = folder_ / "volume";
  ZarrWriter writer(host_, options.options(), path.string());
  VolumeSpec s = spec({3, 3, 3}, {8, 8, 8});
  writer.begin(s);
  std::vector<std::uint16_t> voxels(27, 300);
  writer.write({0, {0, 0, 0}}, as_const(dense_view(voxels.data(), Index3{3, 3, 3})));
  EXPECT_THAT(failure(path), HasSubstr("no .zarray"));
  EXPECT_THAT(failure(path / "0"), HasSubstr("no .zarray"));
}

TEST_F(Zarr, TheWriterRefusesWhatItCannotStore) {
  const auto create = [&](std::map<std::string, std::string> given) {
    const test::TableOptions options(ZarrWriter::kOptions, std::move(given));
    ZarrWriter(host_, options.options(), (folder_ / "x").string());
  };
  for (const char* color : {"", "FFF", "#FFFFFF", "GGGGGG", "FFFFFFF"})
    EXPECT_THROW(create({{"channel-color", color}}), UsageError) << color;
  EXPECT_NO_THROW(create({{"channel-color", "12abEF"}}));
  const test::TableOptions options(ZarrWriter::kOptions);
  VolumeSpec s = spec({3, 3, 3}, {8, 8, 8});
  s.voxel_um.y = 0;
  EXPECT_THAT([&] { ZarrWriter(host_, options.options(), (folder_ / "x").string()).begin(s); },
              testing::ThrowsMessage<Error>(HasSubstr("voxel size")));
}

TEST_F(Zarr, DamagedArraysAreErrorsThatNameTheMember) {
  const fs::path path = write(spec({40, 30, 20}, {16, 16, 16}), test::scrambled(9));
  const json good = json::parse(test::read_file(path / "0" / ".zarray"));
  const auto with = [&](const char* key, const json& value) {
    json fields = good;
    fields[key] = value;
    test::write_file(path / "0" / ".zarray", fields.dump());
    return failure(path);
  };
  for (const char* key : {"shape", "chunks"})
    for (const json& value :
         {json(1), json::array(), json({1, 1, 1, 1, -1}), json({1, 1, 1, 1, 0}), json({1, 1, 1, 1, 1.5}),
          json({1, 1, 1, 1, "1"}), json({1, 1, 1, 1, std::uint64_t{1} << 63}), json({1, 1, 1, 1, 1, 1}),
          json({1, 1}), json(nullptr)})
      EXPECT_THAT(with(key, value), HasSubstr(key)) << value;
  EXPECT_THAT(with("chunks", {1, 1, 2048, 2048, 2048}), HasSubstr("at most"));
  EXPECT_THAT(with("chunks", {2048, 2048, 16, 16, 16}), HasSubstr("at most"));
  EXPECT_THAT(with("shape", {1, 1, std::int64_t{1} << 40, std::int64_t{1} << 40, 1}),
              HasSubstr("each extent"));
  EXPECT_THAT(with("shape", {40, 30, 20}), HasSubstr("axes"));
  EXPECT_THAT(with("zarr_format", 3), HasSubstr("zarr_format"));
  EXPECT_THAT(with("dtype", json::array({json::array({"a", "<u2"})})), HasSubstr("dtype"));
  EXPECT_THAT(with("dtype", "<i2"), HasSubstr("dtype"));
  EXPECT_THAT(with("order", 1), HasSubstr("order"));
  EXPECT_THAT(with("compressor", "blosc"), HasSubstr("object"));
  EXPECT_THAT(with("compressor", {{"id", 1}}), HasSubstr("id"));
  EXPECT_THAT(with("filters", 1), HasSubstr("filters"));
  EXPECT_THAT(with("fill_value", 65536), HasSubstr("fill_value"));
  EXPECT_THAT(with("fill_value", "NaN"), HasSubstr("fill_value"));
  EXPECT_THAT(with("fill_value", 0.5), HasSubstr("fill_value"));
  EXPECT_THAT(with("dimension_separator", "//"), HasSubstr("dimension_separator"));
  EXPECT_EQ(with("fill_value", 3.0), "");
  for (const char* text : {"", "{", "[]", "null", "{}", "\xff"}) {
    test::write_file(path / "0" / ".zarray", text);
    EXPECT_THAT(failure(path), HasSubstr(".zarray")) << text;
  }
}

TEST_F(Zarr, ValuesNestedWithoutEndAreAnError) {
  constexpr int kLevels = 200'000;
  const fs::path path = write(spec({4, 3, 2}, {4, 4, 4}), test::scrambled(9));
  const fs::path file = path / "0" / ".zarray";
  json fields = json::parse(test::read_file(file));
  fields["order"] = "DEEP";
  std::string text = fields.dump();
  text.replace(text.find("\"DEEP\""), 6, std::string(kLevels, '[') + std::string(kLevels, ']'));
  test::write_file(file, text);
  EXPECT_THAT(failure(path), HasSubstr("deep"));
}

TEST_F(Zarr, DamagedGroupsAreErrorsThatNameTheMember) {
  const fs::path path = write(spec({40, 30, 20}, {16, 16, 16}), test::scrambled(9));
  const json good = json::parse(test::read_file(path / ".zattrs"));
  const auto with = [&](const char* pointer, const json& value) {
    json attributes = good;
    attributes[json::json_pointer(pointer)] = value;
    test::write_file(path / ".zattrs", attributes.dump());
    return failure(path);
  };
  EXPECT_THAT(with("/multiscales", json::array()), HasSubstr("multiscales"));
  EXPECT_THAT(with("/multiscales", 1), HasSubstr("multiscales"));
  EXPECT_THAT(with("/multiscales/0", 1), HasSubstr("object"));
  EXPECT_THAT(with("/multiscales/0/datasets", json::array()), HasSubstr("datasets"));
  EXPECT_THAT(with("/multiscales/0/datasets/0", 1), HasSubstr("object"));
  for (const char* way_out : {"", "/etc", "../volume1/0", "0/../../x"})
    EXPECT_THAT(with("/multiscales/0/datasets/0/path", way_out), HasSubstr("inside the group")) << way_out;
  EXPECT_THAT(with("/multiscales/0/datasets/0/path", "9"), HasSubstr("9/.zarray"));
  EXPECT_THAT(with("/multiscales/0/axes", 1), HasSubstr("axes"));
  EXPECT_THAT(with("/multiscales/0/axes", {"x", "y", "z"}), HasSubstr("axes"));
  EXPECT_THAT(with("/multiscales/0/axes", {"z", "y", "x"}), HasSubstr("numbers"));
  const char* transforms = "/multiscales/0/datasets/0/coordinateTransformations";
  EXPECT_THAT(with(transforms, 1), HasSubstr("coordinateTransformations"));
  EXPECT_THAT(with(transforms, {1}), HasSubstr("object"));
  EXPECT_THAT(with(transforms, {{{"type", "affine"}}}), HasSubstr("affine"));
  EXPECT_THAT(with(transforms, {{{"type", "scale"}, {"scale", {1, 1}}}}), HasSubstr("5 numbers"));
  EXPECT_THAT(with(transforms, {{{"type", "scale"}, {"scale", {1, 1, 0, 1, 1}}}}), HasSubstr("above 0"));
  EXPECT_THAT(with(transforms, {{{"type", "scale"}, {"path", "x"}}}), HasSubstr("scale"));
  EXPECT_EQ(with("/multiscales/0/axes/2/unit", "parsec"), "");
  EXPECT_THAT(host_.logged(LogLevel::warning), HasSubstr("unit of length"));
}

TEST_F(Zarr, LevelsOfDifferentTypesAreAnError) {
  const fs::path path = write(spec({40, 30, 20}, {16, 16, 16}, 2), test::scrambled(9));
  json fields = json::parse(test::read_file(path / "1" / ".zarray"));
  fields["dtype"] = "|u1";
  test::write_file(path / "1" / ".zarray", fields.dump());
  EXPECT_THAT(failure(path), HasSubstr("another type"));
}

TEST_F(Zarr, ProbesWhatItReads) {
  const fs::path path = write(spec({9, 9, 9}, {8, 8, 8}), test::scrambled(9));
  EXPECT_EQ(ZarrReader::probe(path.c_str(), nullptr, 0), 100);
  EXPECT_EQ(ZarrReader::probe((path / "0").c_str(), nullptr, 0), 100);
  EXPECT_EQ(ZarrReader::probe(folder_.path().c_str(), nullptr, 0), 0);
  EXPECT_EQ(ZarrReader::probe("/no/such/place", nullptr, 0), 0);
}

}  // namespace
