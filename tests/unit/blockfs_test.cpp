// link: spim_blockfs
/// blockfs volumes: round trips by value, what is on disk, and what damaged files do.
/// Long because one fixture writes the volumes that every test reads, edits or damages.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "plugins/writers/blockfs/block_directory.hpp"
#include "plugins/writers/blockfs/blockfs_reader.hpp"
#include "plugins/writers/blockfs/blockfs_writer.hpp"
#include "spim/error.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"
#include "support/temporary_folder.hpp"
#include "support/volume_round_trip.hpp"

namespace {

namespace fs = std::filesystem;
using namespace spim;
using blockfs::BlockDirectory;
using blockfs::BlockfsReader;
using blockfs::BlockfsWriter;
using blockfs::BlockPlace;
using nlohmann::json;
using testing::HasSubstr;

class Blockfs : public testing::Test {
 protected:
  static VolumeSpec spec(Index3 shape, Index3 chunk, std::int32_t levels = 1,
                         PixelType type = PixelType::u16) {
    VolumeSpec s;
    s.shape = shape;
    s.chunk = chunk;
    s.levels = levels;
    s.type = type;
    s.voxel_um = {1.28, 1.8, 1.2727922061357855};
    s.origin_um = {10, -20, 30.5};
    s.name = "brain";
    return s;
  }

  fs::path write(const VolumeSpec& s, const test::VoxelFunction& voxel,
                 std::map<std::string, std::string> given = {}, int threads = 1) {
    const test::TableOptions options(BlockfsWriter::kOptions, std::move(given));
    const fs::path path = folder_ / ("volume" + std::to_string(++written_));
    BlockfsWriter writer(host_, options.options(), path.string());
    test::write_volume(writer, s, voxel, threads);
    return path;
  }
  BlockfsReader read(const fs::path& path) { return {host_, Options{}, path.string()}; }

  /// The message of what opening (and reading all of) `path` throws; "" when nothing does.
  std::string failure(const fs::path& path) {
    try {
      BlockfsReader reader = read(path);
      const Index3 shape = reader.level(0).shape;
      if (count(shape) > 1'000'000) return "";
      std::vector<std::uint16_t> buffer(static_cast<std::size_t>(count(shape)));
      reader.read(0, {{0, 0, 0}, shape}, dense_view(buffer.data(), shape));
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  }

  /// Replaces the JSON of the level's directory file by `edit` of it, keeping the entries.
  static void edit_directory(const fs::path& level, const std::function<void(json&)>& edit) {
    const fs::path path = level / "precomputed.blockfs";
    const std::string bytes = test::read_file(path);
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data() + 8, 4);
    json fields = json::parse(bytes.substr(16, size));
    edit(fields);
    const std::string text = fields.dump();
    const std::uint32_t sizes[2] = {static_cast<std::uint32_t>(text.size()),
                                    static_cast<std::uint32_t>(text.size() + 16)};
    std::string edited = bytes.substr(0, 8);
    edited.append(reinterpret_cast<const char*>(sizes), 8);
    test::write_file(path, edited + text + bytes.substr(16 + size));
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

class BlockfsShapes : public Blockfs, public testing::WithParamInterface<Case> {};

TEST_P(BlockfsShapes, EveryVoxelComesBack) {
  const Case c = GetParam();
  const VolumeSpec s = spec(c.shape, c.chunk, c.levels, c.type);
  const auto voxel = test::scrambled(c.type == PixelType::u8 ? 255 : 65535);
  const fs::path path = write(s, voxel);
  BlockfsReader reader = read(path);
  EXPECT_EQ(test::difference(reader, s, voxel), "");
}

INSTANTIATE_TEST_SUITE_P(All, BlockfsShapes,
                         testing::Values(Case{{1, 1, 1}, {64, 64, 64}, 1, PixelType::u16},
                                         Case{{5, 3, 2}, {64, 64, 64}, 4, PixelType::u16},
                                         Case{{64, 64, 64}, {64, 64, 64}, 2, PixelType::u16},
                                         Case{{65, 129, 67}, {64, 64, 64}, 3, PixelType::u16},
                                         Case{{101, 53, 31}, {7, 11, 13}, 3, PixelType::u16},
                                         Case{{101, 53, 31}, {32, 16, 8}, 2, PixelType::u8},
                                         Case{{40, 1, 1}, {1, 1, 1}, 1, PixelType::u16},
                                         Case{{1, 200, 1}, {64, 64, 64}, 1, PixelType::u8}));

TEST_F(Blockfs, EveryCodecComesBack) {
  const VolumeSpec s = spec({70, 40, 20}, {32, 32, 32});
  const auto voxel = [](std::int32_t, Index3 at) { return static_cast<std::uint16_t>(at.x * at.y + at.z); };
  for (const char* codec : {"zstd", "lz4", "lz4hc", "blosclz", "zlib"})
    for (const char* shuffle : {"bit", "byte", "none"}) {
      const fs::path path = write(s, voxel, {{"codec", codec}, {"shuffle", shuffle}, {"level", "3"}});
      BlockfsReader reader = read(path);
      EXPECT_EQ(test::difference(reader, s, voxel), "") << codec << " " << shuffle;
    }
}

TEST_F(Blockfs, FourThreadsWriteTheSameVoxels) {
  const VolumeSpec s = spec({150, 140, 130}, {16, 16, 16}, 3);
  const auto voxel = test::scrambled(4095);
  for (const char* files : {"1", "3"}) {
    const fs::path path = write(s, voxel, {{"files", files}}, 4);
    BlockfsReader reader = read(path);
    EXPECT_EQ(test::difference(reader, s, voxel), "");
  }
}

TEST_F(Blockfs, ZeroBlocksTakeNoSpaceAndReadAsZero) {
  const VolumeSpec s = spec({100, 100, 100}, {32, 32, 32}, 2);
  const auto voxel = [](std::int32_t level, Index3 at) {
    return static_cast<std::uint16_t>(level == 0 && at == Index3{99, 0, 50} ? 7 : 0);
  };
  const fs::path path = write(s, voxel);
  BlockfsReader reader = read(path);
  EXPECT_EQ(test::difference(reader, s, voxel), "");
  test::Described described;
  reader.describe(described);
  EXPECT_EQ(described.values["stored chunks"], "1");
  EXPECT_EQ(described.values["chunks"], "72");
  EXPECT_EQ(described.values["codec"], "blosc zstd, byte shuffle");
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(fs::file_size(path / "2_2_2" / ("precomputed.blockfs." + std::to_string(i))), 0U);
}

TEST_F(Blockfs, DirectoryFileIsAsTheFormatSays) {
  const VolumeSpec s = spec({130, 70, 64}, {64, 64, 64});
  const fs::path path = write(s, test::scrambled(100), {{"files", "2"}});
  const std::string bytes = test::read_file(path / "1_1_1" / "precomputed.blockfs");
  EXPECT_EQ(bytes.substr(0, 8), std::string("BlockFS\0", 8));
  std::uint32_t sizes[2];
  std::memcpy(sizes, bytes.data() + 8, 8);
  EXPECT_EQ(sizes[1], sizes[0] + 16);
  const auto fields = nlohmann::ordered_json::parse(bytes.substr(16, sizes[0]));
  std::vector<std::string> keys;
  for (const auto& [key, value] : fields.items()) keys.push_back(key);
  EXPECT_THAT(keys,
              testing::ElementsAre("XBlockSize", "YBlockSize", "ZBlockSize", "DType", "NOffsetBits",
                                   "NSizeBits", "XExtent", "YExtent", "ZExtent", "BlockFilenames", "XStride",
                                   "YStride", "ZStride", "Compression", "CompressionLvl", "Version"));
  EXPECT_EQ(fields["BlockFilenames"].dump(), R"(["precomputed.blockfs.0","precomputed.blockfs.1"])");
  EXPECT_EQ(fields["YStride"], 3);
  EXPECT_EQ(fields["ZStride"], 6);
  EXPECT_EQ(fields["NSizeBits"], 20);
  EXPECT_EQ(fields["NOffsetBits"], 21);  // three blocks of 524,304 bytes in a file: 1,572,912
  EXPECT_EQ(bytes.size(), 16 + sizes[0] + 6 * 6U);
  EXPECT_EQ(bytes.find(folder_.path().string()), std::string::npos);
}

TEST_F(Blockfs, AbsoluteNamesAreWrittenOnRequest) {
  const fs::path path =
      write(spec({9, 9, 9}, {64, 64, 64}, 2), test::scrambled(100), {{"absolute-names", "/data/brain"}});
  edit_directory(path / "2_2_2", [](json& fields) {
    EXPECT_EQ(fields["BlockFilenames"], json({"/data/brain/2_2_2/precomputed.blockfs.0"}));
  });
  const test::TableOptions relative(BlockfsWriter::kOptions, {{"absolute-names", "data"}});
  EXPECT_THROW(BlockfsWriter(host_, relative.options(), "x"), UsageError);
}

TEST_F(Blockfs, InfoDescribesEveryScale) {
  const fs::path path = write(spec({130, 71, 64}, {32, 16, 8}, 2, PixelType::u8), test::scrambled(9));
  const json info = json::parse(test::read_file(path / "info"));
  EXPECT_EQ(info["data_type"], "uint8");
  EXPECT_EQ(info["type"], "image");
  EXPECT_EQ(info["num_channels"], 1);
  EXPECT_FALSE(info.contains("mesh"));
  ASSERT_EQ(info["scales"].size(), 2U);
  const json& scale = info["scales"][1];
  EXPECT_EQ(scale["key"], "2_2_2");
  EXPECT_EQ(scale["encoding"], "raw");
  EXPECT_EQ(scale["size"], json({65, 36, 32}));
  EXPECT_EQ(scale["chunk_sizes"], json({{32, 16, 8}}));
  EXPECT_EQ(scale["voxel_offset"], json({0, 0, 0}));
  EXPECT_DOUBLE_EQ(scale["resolution"][2], 2 * 1272.7922061357855);
}

TEST_F(Blockfs, VoxelSizeAndOriginComeBackForEveryLevel) {
  const VolumeSpec s = spec({40, 40, 40}, {64, 64, 64}, 3);
  const fs::path path = write(s, test::scrambled(9));
  BlockfsReader reader = read(path);
  for (std::int32_t level = 0; level < 3; ++level) {
    const double f = 1 << level;
    const LevelInfo info = reader.level(level);
    EXPECT_NEAR(info.voxel_um.x, f * 1.28, 1e-12);
    EXPECT_NEAR(info.voxel_um.z, f * 1.2727922061357855, 1e-12);
    EXPECT_NEAR(info.origin_um.x, 10 + (f - 1) / 2 * 1.28, 1e-12);
    EXPECT_NEAR(info.origin_um.y, -20 + (f - 1) / 2 * 1.8, 1e-12);
    EXPECT_EQ(info.chunk, (Index3{64, 64, 64}));
  }
}

TEST_F(Blockfs, VoxelOffsetOfOtherProgramsIsThePlaceOfTheVolume) {
  const fs::path path = write(spec({40, 40, 40}, {64, 64, 64}, 2), test::scrambled(9));
  test::write_file(path / "info", R"({"scales":[
    {"key":"1_1_1","resolution":[1000,2000,500],"voxel_offset":[4,10,0]},
    {"key":"2_2_2","resolution":[2000,4000,1000],"voxel_offset":[2,5,0]}]})");
  BlockfsReader reader = read(path);
  EXPECT_EQ(reader.level(0).origin_um, (Vec3{4, 20, 0}));
  EXPECT_EQ(reader.level(1).origin_um, (Vec3{4.5, 21, 0.25}));
}

TEST_F(Blockfs, OpensVolumeLevelAndDirectoryFile) {
  const VolumeSpec s = spec({50, 40, 30}, {16, 16, 16}, 3);
  const auto voxel = test::scrambled(999);
  const fs::path path = write(s, voxel);
  for (const fs::path& part : {path / "2_2_2", path / "2_2_2/", path / "2_2_2" / "precomputed.blockfs"}) {
    BlockfsReader reader = read(part);
    EXPECT_EQ(reader.info().levels, 1);
    EXPECT_NEAR(reader.level(0).voxel_um.x, 2.56, 1e-12);
    const Box all{{0, 0, 0}, {25, 20, 15}};
    EXPECT_EQ(test::difference(reader, 0, all, [&](std::int32_t, Index3 at) { return voxel(1, at); }), "");
  }
  fs::remove(path / "info");
  EXPECT_EQ(read(path).level(0).voxel_um, Vec3{});
}

TEST_F(Blockfs, SurvivesBeingMoved) {
  const VolumeSpec s = spec({50, 40, 30}, {16, 16, 16}, 2);
  const fs::path path = write(s, test::scrambled(999));
  fs::rename(path, folder_ / "elsewhere");
  BlockfsReader reader = read(folder_ / "elsewhere");
  EXPECT_EQ(test::difference(reader, s, test::scrambled(999)), "");
}

TEST_F(Blockfs, FindsBlockFilesByAbsoluteNameAndBesideTheDirectory) {
  const VolumeSpec s = spec({50, 40, 30}, {16, 16, 16});
  const fs::path path = write(s, test::scrambled(999), {{"files", "1"}});
  const fs::path beside = path / "1_1_1" / "precomputed.blockfs.0";
  const fs::path away = folder_ / "blocks.bin";
  const auto name_it = [&](const std::string& name) {
    edit_directory(path / "1_1_1", [&](json& fields) { fields["BlockFilenames"] = {name}; });
    BlockfsReader reader = read(path);
    return test::difference(reader, s, test::scrambled(999));
  };
  EXPECT_EQ(name_it("/no/such/folder/precomputed.blockfs.0"), "");
  EXPECT_EQ(name_it("some/relative/precomputed.blockfs.0"), "");
  fs::rename(beside, away);
  EXPECT_EQ(name_it(away.string()), "");
  EXPECT_EQ(name_it("../../blocks.bin"), "");
  EXPECT_THAT([&] { name_it("/no/such/folder/x.0"); },
              testing::ThrowsMessage<Error>(HasSubstr("put it beside the directory file")));
}

TEST_F(Blockfs, ReadsADirectoryFileThatEndsEarly) {
  // The original extends the file only as far as the last block that it stored.
  const VolumeSpec s = spec({64, 16, 16}, {16, 16, 16});
  const auto voxel = [](std::int32_t, Index3 at) { return static_cast<std::uint16_t>(at.x < 16 ? 5 : 0); };
  const fs::path path = write(s, voxel);
  const fs::path directory = path / "1_1_1" / "precomputed.blockfs";
  fs::resize_file(directory, fs::file_size(directory) - 4);  // cuts into the last entry
  BlockfsReader reader = read(path);
  EXPECT_EQ(test::difference(reader, s, voxel), "");
}

TEST_F(Blockfs, ReadsBlocksBeyondFourGigabytes) {
  const VolumeSpec s = spec({32, 16, 16}, {16, 16, 16});
  const fs::path path = write(s, test::scrambled(999), {{"files", "1"}});
  // The same block file with a hole of 5 GiB in front; entries are rewritten with wider offsets.
  constexpr std::uint64_t kHole = std::uint64_t{5} << 30;
  const fs::path blocks = path / "1_1_1" / "precomputed.blockfs.0";
  const std::string stored = test::read_file(blocks);
  {
    fs::resize_file(blocks, 0);
    fs::resize_file(blocks, kHole);
    std::ofstream out(blocks, std::ios::binary | std::ios::app);
    out << stored;
  }
  const fs::path directory_path = path / "1_1_1" / "precomputed.blockfs";
  const std::string bytes = test::read_file(directory_path);
  BlockDirectory narrow =
      blockfs::parse_header(std::as_bytes(std::span(bytes)).first(bytes.size() - 2 * 4), "directory");
  ASSERT_EQ(narrow.entry_bytes(), 4U);
  BlockDirectory wide = narrow;
  wide.offset_bits = 63;
  wide.size_bits = 40;
  std::string edited = blockfs::encode_header(wide);
  for (int k = 0; k < 2; ++k) {
    const auto entry = std::as_bytes(std::span(bytes)).subspan(narrow.entries_at + 4U * k, 4);
    BlockPlace place = blockfs::decode_entry(narrow, entry);
    place.offset += kHole;
    std::string encoded(wide.entry_bytes(), '\0');
    blockfs::encode_entry(wide, place, std::as_writable_bytes(std::span(encoded)));
    edited += encoded;
  }
  test::write_file(directory_path, edited);
  BlockfsReader reader = read(path);
  EXPECT_EQ(test::difference(reader, s, test::scrambled(999)), "");
}

TEST_F(Blockfs, EntriesHaveTheBitsOfTheFormat) {
  BlockDirectory directory;
  directory.offset_bits = 20;
  directory.size_bits = 20;
  std::byte entry[5];
  blockfs::encode_entry(directory, {0x12345, 0x678}, entry);
  const unsigned char expected[5] = {0x45, 0x23, 0x81, 0x67, 0x00};
  EXPECT_EQ(std::memcmp(entry, expected, 5), 0);
  directory.offset_bits = directory.size_bits = 63;
  std::byte widest[16];
  const BlockPlace place{(std::uint64_t{1} << 62) + 12345, (std::uint64_t{1} << 63) - 1};
  blockfs::encode_entry(directory, place, widest);
  EXPECT_EQ(blockfs::decode_entry(directory, widest), place);
}

TEST_F(Blockfs, PlansBitsForVolumesOfTerabytes) {
  const BlockDirectory directory =
      blockfs::plan_directory({{1 << 20, 1 << 16, 1 << 14}, {64, 64, 64}}, PixelType::u16, {"a", "b"});
  // 2^32 blocks of 2^19 + 16 bytes in two files
  EXPECT_EQ(directory.offset_bits, 51U);
  EXPECT_EQ(directory.entry_bytes(), 9U);
  EXPECT_EQ(directory.entry({0, 0, 255}), 255U << 24);
  EXPECT_THROW(blockfs::plan_directory({{1 << 20, 1 << 20, 1 << 20}, {1, 1, 1}}, PixelType::u16, {"a"}),
               Error)
      << "2^64 bytes do not fit a file";
}

TEST_F(Blockfs, DamagedDirectoriesAreErrorsThatNameTheFile) {
  const VolumeSpec s = spec({40, 30, 20}, {16, 16, 16});
  const auto damage = [&](const std::function<void(json&)>& edit) {
    const fs::path path = write(s, test::scrambled(999));
    edit_directory(path / "1_1_1", edit);
    const std::string message = failure(path);
    EXPECT_THAT(message, testing::AnyOf("", HasSubstr("precomputed.blockfs")));
    return message;
  };
  for (const char* key :
       {"XBlockSize", "ZBlockSize", "XExtent", "YExtent", "XStride", "ZStride", "NOffsetBits", "NSizeBits"})
    for (const json& value : {json(-1), json(1.5), json("64"), json(nullptr), json::array(), json(1e300),
                              json(std::uint64_t{1} << 63), json(std::int64_t{1} << 41)})
      EXPECT_THAT(damage([&](json& f) { f[key] = value; }), HasSubstr(key)) << value;
  for (const char* key : {"XBlockSize", "XExtent", "YStride", "NSizeBits", "BlockFilenames", "DType"})
    EXPECT_THAT(damage([&](json& f) { f.erase(key); }), HasSubstr("has no member")) << key;
  EXPECT_THAT(damage([](json& f) { f["DType"] = "float32"; }), HasSubstr("uint16"));
  EXPECT_THAT(damage([](json& f) { f["BlockFilenames"] = json::array(); }), HasSubstr("names"));
  EXPECT_THAT(damage([](json& f) { f["BlockFilenames"] = {1}; }), HasSubstr("file names"));
  EXPECT_THAT(damage([](json& f) { f["BlockFilenames"] = {std::string("a\0b", 3)}; }),
              HasSubstr("file names"));
  EXPECT_THAT(damage([](json& f) { f["XBlockSize"] = f["YBlockSize"] = 1 << 20; }),
              HasSubstr("a chunk at most"));
  EXPECT_THAT(damage([](json& f) { f["XExtent"] = f["YExtent"] = std::int64_t{1} << 40; }),
              HasSubstr("each extent"));
  EXPECT_THAT(damage([](json& f) { f["XExtent"] = f["XStride"] = std::int64_t{1} << 40; }),
              HasSubstr("more entries than a file can hold"));
  EXPECT_THAT(damage([](json& f) { f["NOffsetBits"] = 3; }), testing::Not(""));
  EXPECT_THAT(damage([](json& f) { f["XExtent"] = 41; }), HasSubstr("block"));
}

TEST_F(Blockfs, DamagedHeadersAreErrors) {
  const fs::path path = write(spec({40, 30, 20}, {16, 16, 16}), test::scrambled(999));
  const fs::path file = path / "1_1_1" / "precomputed.blockfs";
  const std::string good = test::read_file(file);
  const auto with = [&](const std::string& bytes) {
    test::write_file(file, bytes);
    return failure(path);
  };
  const auto patched = [&](std::size_t at, std::uint32_t value) {
    std::string bytes = good;
    std::memcpy(bytes.data() + at, &value, 4);
    return bytes;
  };
  EXPECT_THAT(with(""), HasSubstr("ends at byte 0"));
  EXPECT_THAT(with(good.substr(0, 15)), HasSubstr("ends at byte 15"));
  EXPECT_THAT(with(good.substr(0, 60)), HasSubstr("the file has 60"));
  EXPECT_THAT(with("XlockFS" + good.substr(7)), HasSubstr("does not begin with"));
  EXPECT_THAT(with(patched(8, 0xFFFFFFFF)), HasSubstr("4294967295"));
  EXPECT_THAT(with(patched(8, 10)), HasSubstr("not valid JSON"));
  EXPECT_THAT(with(patched(12, 20)), HasSubstr("inside its metadata"));
  std::string nested = good.substr(0, 8);
  const std::uint32_t sizes[2] = {200000, 200016};
  nested.append(reinterpret_cast<const char*>(sizes), 8);
  EXPECT_THAT(with(nested + std::string(200000, '[')), HasSubstr("deep"));
}

TEST_F(Blockfs, DamagedBlocksAreErrorsThatNameTheBlock) {
  const VolumeSpec s = spec({32, 16, 16}, {16, 16, 16});
  const auto damage = [&](const std::function<void(std::string&)>& edit) {
    const fs::path path = write(s, test::scrambled(999), {{"files", "1"}});
    const fs::path file = path / "1_1_1" / "precomputed.blockfs.0";
    std::string bytes = test::read_file(file);
    edit(bytes);
    test::write_file(file, bytes);
    return failure(path);
  };
  EXPECT_THAT(damage([](std::string& b) { b.resize(b.size() - 1); }), HasSubstr("should lie at bytes"));
  EXPECT_THAT(damage([](std::string& b) { b.clear(); }), HasSubstr("should lie at bytes"));
  EXPECT_THAT(damage([](std::string& b) { b.replace(0, 16, 16, '\0'); }), HasSubstr("not one Blosc frame"));
  EXPECT_THAT(damage([](std::string& b) { b[4] = 7; }), HasSubstr("block ("));  // another decoded size
  EXPECT_THAT(damage([](std::string& b) { b.replace(20, 40, 40, '\xff'); }),
              HasSubstr("Blosc frame is damaged"));
}

TEST_F(Blockfs, ABlockFileThatIsAPipeDoesNotHang) {
  const fs::path path = write(spec({16, 16, 16}, {16, 16, 16}), test::scrambled(999));
  const fs::path file = path / "1_1_1" / "precomputed.blockfs.0";
  fs::remove(file);
  ASSERT_EQ(std::system(("mkfifo " + file.string()).c_str()), 0);
  EXPECT_THAT(failure(path), HasSubstr("not a regular file"));
}

TEST_F(Blockfs, DamagedInfoIsAnErrorThatNamesIt) {
  const fs::path path = write(spec({16, 16, 16}, {16, 16, 16}), test::scrambled(999));
  for (const char* text :
       {"", "[]", "{}", R"({"scales":1})", R"({"scales":[1]})", R"({"scales":[{"key":"1_1_1"}]})",
        R"({"scales":[{"key":1,"resolution":[1,1,1]}]})",
        R"({"scales":[{"key":"1_1_1","resolution":[1,1]}]})",
        R"({"scales":[{"key":"1_1_1","resolution":[0,1,1]}]})",
        R"({"scales":[{"key":"1_1_1","resolution":[1e999,1,1]}]})",
        R"({"scales":[{"key":"1_1_1","resolution":["1",1,1]}]})"}) {
    test::write_file(path / "info", text);
    EXPECT_THAT(failure(path), HasSubstr("info")) << text;
  }
}

TEST_F(Blockfs, WhatIsNotBlockfsIsRefused) {
  EXPECT_THAT(failure(folder_.path()), HasSubstr("not a blockfs volume"));
  EXPECT_THAT(failure(folder_ / "missing"), HasSubstr("missing"));
  EXPECT_EQ(BlockfsReader::probe(folder_.path().c_str(), nullptr, 0), 0);
  const fs::path path = write(spec({9, 9, 9}, {64, 64, 64}), test::scrambled(9));
  EXPECT_EQ(BlockfsReader::probe(path.c_str(), nullptr, 0), 100);
  EXPECT_EQ(BlockfsReader::probe((path / "1_1_1").c_str(), nullptr, 0), 100);
  const unsigned char head[] = "BlockFS";
  EXPECT_EQ(BlockfsReader::probe("x", head, sizeof head), 100);
}

TEST_F(Blockfs, RequestsOutsideTheVolumeAreErrors) {
  const fs::path path = write(spec({9, 9, 9}, {64, 64, 64}), test::scrambled(9));
  BlockfsReader reader = read(path);
  std::vector<std::uint16_t> buffer(8);
  const auto view = dense_view(buffer.data(), {2, 2, 2});
  EXPECT_THROW(reader.read(0, {{8, 0, 0}, {10, 2, 2}}, view), Error);
  EXPECT_THROW(reader.read(0, {{-1, 0, 0}, {1, 2, 2}}, view), Error);
  EXPECT_THROW(reader.read(0, {{0, 0, 0}, {3, 2, 2}}, view), Error);
  EXPECT_ANY_THROW(reader.read(1, {{0, 0, 0}, {2, 2, 2}}, view));
}

TEST_F(Blockfs, TheWriterRefusesWhatItCannotStore) {
  const test::TableOptions options(BlockfsWriter::kOptions);
  std::vector<std::uint16_t> voxels(27, 300);
  const auto view = as_const(dense_view(voxels.data(), Index3{3, 3, 3}));
  BlockfsWriter writer(host_, options.options(), (folder_ / "a").string());
  writer.begin(spec({3, 3, 3}, {64, 64, 64}, 1, PixelType::u8));
  EXPECT_THAT(
      [&] {
        writer.write({0, {0, 0, 0}}, view);
      },
      testing::ThrowsMessage<Error>(HasSubstr("is 300")));
  EXPECT_THROW(writer.write({0, {1, 0, 0}}, view), Error);
  EXPECT_THROW(writer.write({1, {0, 0, 0}}, view), Error);
  EXPECT_THROW(writer.write({-1, {0, 0, 0}}, view), Error);
  const auto begin = [&](VolumeSpec s) {
    BlockfsWriter(host_, options.options(), (folder_ / "b").string()).begin(s);
  };
  EXPECT_THROW(begin(spec({0, 3, 3}, {64, 64, 64})), Error);
  EXPECT_THROW(begin(spec({3, 3, 3}, {1 << 15, 1 << 15, 64})), Error);
  EXPECT_THROW(begin(spec({3, 3, 3}, {64, 64, 64}, 40)), Error);
  EXPECT_THAT(
      [&] {
        begin(spec({std::int64_t{1} << 30, std::int64_t{1} << 30, 1 << 10}, {64, 64, 64}));
      },
      testing::ThrowsMessage<Error>(HasSubstr("voxels")));
  EXPECT_FALSE(fs::exists(folder_ / "b"));
}

/// Lets the process open few files more for a while.
class FewFiles {
 public:
  explicit FewFiles(rlim_t more) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);  // the lowest number that is free
    ::close(next);
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(next) + more;
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;

 private:
  rlimit before_{};
};

/// Keeps the names of a part's files.
class Names final : public FileSink {
 public:
  void file(std::string_view path) override { names.emplace_back(path); }
  std::vector<std::string> names;
};

TEST_F(Blockfs, ColumnsThatAreWrittenInBandsOfYNeedNoOpenFiles) {
  const test::TableOptions options(BlockfsWriter::kOptions);
  const fs::path path = folder_ / "volume";
  const VolumeSpec s = spec({300, 12, 4}, {4, 4, 4});
  const auto value = [](std::int64_t x, std::int64_t y) {
    return static_cast<std::uint16_t>(1 + x + 80 * y);
  };
  const FewFiles few(12);
  Names part;
  {
    BlockfsWriter writer(host_, options.options(), path.string());
    writer.join(s, {"sweep-0", "one"});
    for (std::int64_t y = 0; y < 3; ++y)
      for (std::int64_t x = 0; x < 75; ++x) {
        std::vector<std::uint16_t> voxels(64, value(x, y));
        writer.write({0, {x, y, 0}}, as_const(dense_view(voxels.data(), Index3{4, 4, 4})));
      }
    writer.finish_part(part);
  }
  EXPECT_EQ(part.names.size(), 75U);
  BlockfsWriter end(host_, options.options(), path.string());
  end.join(s, {"finish", "two"});
  end.finish();
  BlockfsReader reader = read(path);
  std::vector<std::uint16_t> voxels(static_cast<std::size_t>(count(s.shape)));
  reader.read(0, {{0, 0, 0}, s.shape}, dense_view(voxels.data(), s.shape));
  for (std::int64_t y = 0; y < 12; ++y)
    for (std::int64_t x = 0; x < 300; ++x)
      ASSERT_EQ(voxels[static_cast<std::size_t>(y * 300 + x)], value(x / 4, y / 4));
}

TEST_F(Blockfs, MoreColumnsThanSixteenBitsCountAreWrittenInParts) {
  const test::TableOptions options(BlockfsWriter::kOptions);
  const fs::path path = folder_ / "volume";
  const VolumeSpec s = spec({70'000, 2, 1}, {1, 1, 1});
  {
    BlockfsWriter writer(host_, options.options(), path.string());
    EXPECT_EQ(writer.unit_shape(s), (Index3{1, 2, 1}));
    writer.join(s, {"sweep-0", "one"});
    std::uint16_t voxel = 7;
    writer.write_zero({0, {69'999, 0, 0}});
    writer.write({0, {69'999, 1, 0}}, as_const(dense_view(&voxel, Index3{1, 1, 1})));
    Names part;
    writer.finish_part(part);
    EXPECT_THAT(part.names, testing::ElementsAre("1_1_1/precomputed.blockfs.69999"));
    writer.finish();
  }
  BlockfsReader reader = read(path);
  std::uint16_t voxels[4] = {9, 9, 9, 9};
  reader.read(0, {{69'998, 0, 0}, {70'000, 2, 1}}, dense_view(voxels, Index3{2, 2, 1}));
  EXPECT_THAT(voxels, testing::ElementsAre(0, 0, 0, 7));
}

TEST_F(Blockfs, PartsOfTooManyColumnsAreRefusedWithARemedy) {
  const auto unit = [&](Index3 shape, std::map<std::string, std::string> given = {}) {
    const test::TableOptions options(BlockfsWriter::kOptions, std::move(given));
    return BlockfsWriter(host_, options.options(), "volume").unit_shape(spec(shape, {64, 64, 64}));
  };
  EXPECT_EQ(unit({65'536, 2000, 65'536}), (Index3{64, 2048, 64}));
  EXPECT_THAT(
      [&] {
        unit({65'536, 2000, 65'600});
      },
      testing::ThrowsMessage<UsageError>(HasSubstr("choose a larger --chunk-size")));
  EXPECT_THAT(
      [&] {
        unit({65'536, 2000, 65'536}, {{"absolute-names", "/data/volume"}});
      },
      testing::ThrowsMessage<UsageError>(HasSubstr("leave out absolute-names")));
}

TEST_F(Blockfs, NothingLooksCompleteBeforeFinish) {
  const test::TableOptions options(BlockfsWriter::kOptions);
  const fs::path path = folder_ / "volume";
  {
    BlockfsWriter writer(host_, options.options(), path.string());
    writer.begin(spec({3, 3, 3}, {64, 64, 64}));
    std::vector<std::uint16_t> voxels(27, 300);
    writer.write({0, {0, 0, 0}}, as_const(dense_view(voxels.data(), Index3{3, 3, 3})));
  }
  EXPECT_FALSE(fs::exists(path / "info"));
  EXPECT_THAT(failure(path), HasSubstr("does not begin with"));
}

}  // namespace
