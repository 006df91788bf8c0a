// link: spim_zarr spim_precomputed
/// Files of many chunks: checksums, numbers and indices by the vectors of the formats' own implementations,
/// and the bookkeeping of shards that are written. Whole volumes are in formats/zarr3_test.py and
/// formats/precomputed_test.py.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>

#include "common/deflate.hpp"
#include "common/little_endian.hpp"
#include "common/shard_files.hpp"
#include "plugins/writers/precomputed/minishard_index.hpp"
#include "plugins/writers/precomputed/precomputed_shards.hpp"
#include "plugins/writers/precomputed/shard_layout.hpp"
#include "plugins/writers/zarr/shard_index.hpp"
#include "plugins/writers/zarr/zarr_reader.hpp"
#include "plugins/writers/zarr/zarr_shards.hpp"
#include "plugins/writers/zarr/zarr_writer.hpp"
#include "spim/crc32c.hpp"
#include "spim/error.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"
#include "support/temporary_folder.hpp"
#include "support/volume_round_trip.hpp"

namespace {

using namespace spim;
using chunked::ChunkPlace;
using precomputed::ChunkOrder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<std::byte> bytes_of_string(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

TEST(Crc32c, AgreesWithTheStandard) {
  const auto by_table = [](const std::vector<std::byte>& bytes, std::uint32_t before = 0) {
    return detail::crc32c_by_table(bytes.data(), bytes.size(), before);
  };
  const auto check = [](const auto& sum) {
    EXPECT_EQ(sum({}, 0), 0U);
    EXPECT_EQ(sum(bytes_of_string("123456789"), 0), 0xE3069283U);
    EXPECT_EQ(sum(std::vector<std::byte>(32), 0), 0x8A9136AAU);
    EXPECT_EQ(sum(bytes_of_string("456789"), sum(bytes_of_string("123"), 0)), 0xE3069283U);
  };
  check(by_table);
  check([](const std::vector<std::byte>& bytes, std::uint32_t before) { return crc32c(bytes, before); });
}

TEST(ZarrShardIndex, AgreesWithOtherImplementations) {
  std::vector<ChunkPlace> places(8);
  EXPECT_EQ(chunked::get_little<std::uint32_t>(zarr::encode_index(places).data() + 128), 0x2F56DEBAU);
  places[0] = {0, 10};
  places[2] = {10, 7};
  const auto index = zarr::encode_index(places);
  ASSERT_EQ(index.size(), 132U);
  EXPECT_EQ(chunked::get_little<std::uint32_t>(index.data() + 128), 0x7BD256CEU);
  zarr::IndexLayout layout;
  layout.slots = 8;
  EXPECT_EQ(zarr::decode_index(layout, index, 17 + 132), places);
  EXPECT_THAT([&] { zarr::decode_index(layout, index, 16 + 132); },
              ThrowsMessage<Error>(HasSubstr("lies at byte 10")));
  layout.location = zarr::IndexLocation::start;
  EXPECT_THAT([&] { zarr::decode_index(layout, index, 1000); },
              ThrowsMessage<Error>(HasSubstr("bytes 132 to 1000")));
}

TEST(ChunkOrder, AgreesWithOtherImplementations) {
  EXPECT_EQ(ChunkOrder({5, 2, 1}).number({3, 1, 0}), 7U);
  EXPECT_EQ(ChunkOrder({5, 2, 1}).bits(), 4);
  EXPECT_EQ(ChunkOrder({5, 2, 1}).number({4, 1, 0}), 10U);
  EXPECT_EQ(ChunkOrder({53, 157, 102}).number({35, 106, 33}), 492573U);
  EXPECT_EQ(ChunkOrder({53, 157, 102}).bits(), 21);
  EXPECT_EQ(ChunkOrder({64, 128, 64}).number({16, 78, 63}), 417204U);
  EXPECT_EQ(ChunkOrder({1, 1, 1}).bits(), 0);
  EXPECT_THROW(ChunkOrder({std::int64_t{1} << 30, std::int64_t{1} << 30, 32}), Error);
}

TEST(ChunkOrder, NumbersEveryChunkOnceAndFindsItAgain) {
  for (const Index3 grid : {Index3{5, 3, 9}, Index3{1, 40, 2}, Index3{8, 8, 8}, Index3{17, 1, 1}}) {
    const ChunkOrder order(grid);
    std::set<std::uint64_t> numbers;
    for (std::int64_t i = 0; i < count(grid); ++i) {
      const Index3 chunk{i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y};
      const std::uint64_t number = order.number(chunk);
      numbers.insert(number);
      EXPECT_LT(number, std::uint64_t{1} << order.bits());
      EXPECT_EQ(order.chunk(number), chunk);
    }
    EXPECT_EQ(static_cast<std::int64_t>(numbers.size()), count(grid));
  }
}

TEST(ShardLayout, HashesAsOtherImplementations) {
  EXPECT_EQ(precomputed::murmur3(0), 0x4772B084E028AE41U);
  EXPECT_EQ(precomputed::murmur3(1), 0xE8BD67D616D4CE9AU);
  EXPECT_EQ(precomputed::murmur3(2), 0xD62F9CD21B013F5AU);
  EXPECT_EQ(precomputed::murmur3(4), 0x67AE8B02F5ABBABCU);
  EXPECT_EQ(precomputed::murmur3(0x0102030405060708), 0x7B64A3FD961B228EU);
}

TEST(ShardLayout, NamesHaveAllDigitsThatMayBeNeeded) {
  chunked::PrecomputedSharding sharding;
  EXPECT_EQ(precomputed::shard_name(sharding, 0), "0.shard");
  sharding.shard_bits = 9;
  EXPECT_EQ(precomputed::shard_name(sharding, 10), "00a.shard");
  sharding.shard_bits = 64;
  EXPECT_EQ(precomputed::shard_name(sharding, ~std::uint64_t{0}), "ffffffffffffffff.shard");
  EXPECT_EQ(precomputed::locate(sharding, ~std::uint64_t{0}).shard, ~std::uint64_t{0});
}

/// Counts the chunks of each shard and compares them with its plan.
void expect_plans(const chunked::ShardFormat& format, Index3 grid) {
  std::map<std::uint64_t, std::set<std::size_t>> slots;
  for (std::int64_t i = 0; i < count(grid); ++i) {
    const auto slot = format.slot({0, {i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y}, 0});
    EXPECT_TRUE(slots[slot.shard].insert(slot.slot).second);
  }
  std::set<std::string> names;
  for (const auto& [shard, used] : slots) {
    const chunked::ShardPlan plan = format.plan({0, shard, 0});
    EXPECT_EQ(plan.chunks, static_cast<std::int64_t>(used.size()));
    EXPECT_LT(*used.rbegin(), plan.slots);
    EXPECT_TRUE(names.insert(plan.path.string()).second);
  }
}

TEST(ShardPlans, CountTheChunksThatWillCome) {
  for (const Index3 grid : {Index3{5, 3, 9}, Index3{1, 40, 2}, Index3{8, 8, 8}, Index3{1, 1, 1}}) {
    VolumeSpec spec;
    spec.shape = {grid.x * 4 - 1, grid.y * 4 - 2, grid.z * 4};
    spec.chunk = {4, 4, 4};
    for (const Index3 shard : {Index3{2, 2, 2}, Index3{4, 1, 8}, Index3{64, 64, 64}, Index3{3, 5, 1}}) {
      expect_plans(zarr::ZarrShards("x", spec, shard, zarr::IndexLocation::end), grid);
      auto info = chunked::info_of(spec);
      info.scales[0].sharding =
          precomputed::plan_sharding(ChunkOrder(grid), shard, chunked::ShardEncoding::raw);
      expect_plans(precomputed::PrecomputedShards("x", info), grid);
    }
  }
}

TEST(MinishardIndex, ComesBackWhateverTheOrderOfTheChunks) {
  const std::vector<precomputed::StoredChunk> chunks = {{3, {532, 8}}, {7, {512, 20}}, {900, {600, 1}}};
  const auto bytes = precomputed::encode_minishard(chunks, 512);
  const auto decoded = precomputed::decode_minishard(bytes, {512, 601});
  ASSERT_EQ(decoded.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(decoded[i].number, chunks[i].number);
    EXPECT_EQ(decoded[i].place, chunks[i].place);
    EXPECT_EQ(precomputed::find_chunk(decoded, chunks[i].number), chunks[i].place);
  }
  EXPECT_TRUE(precomputed::find_chunk(decoded, 4).absent());
  EXPECT_TRUE(precomputed::find_chunk({}, 4).absent());
  EXPECT_THAT(
      [&] {
        precomputed::decode_minishard(bytes, {512, 600});
      },
      ThrowsMessage<Error>(HasSubstr("chunk 900")));
}

TEST(Deflate, ComesBackAndRefusesEverythingElse) {
  std::vector<std::byte> bytes(100'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i >> 7);
  chunked::Scratch to, from;
  for (int level = 0; level <= 9; ++level) {
    const auto encoded = chunked::gzip_encode(level, bytes, to);
    const std::byte* decoded = chunked::inflate_exactly(encoded, bytes.size(), from);
    EXPECT_EQ(std::memcmp(decoded, bytes.data(), bytes.size()), 0) << level;
    EXPECT_EQ(chunked::inflate_at_most(encoded, bytes.size()), bytes);
    EXPECT_EQ(chunked::inflate_at_most(encoded, 1 << 30), bytes);
    EXPECT_THROW(chunked::inflate_exactly(encoded, bytes.size() - 1, from), Error);
    EXPECT_THROW(chunked::inflate_exactly(encoded, bytes.size() + 1, from), Error);
    EXPECT_THROW(chunked::inflate_at_most(encoded, bytes.size() - 1), Error);
    EXPECT_THROW(chunked::inflate_at_most(encoded.first(encoded.size() - 1), bytes.size()), Error);
  }
}

/// Shards of four chunks in a row; the index behind them is one byte for each that is stored.
class RowFormat final : public chunked::ShardFormat {
 public:
  explicit RowFormat(std::filesystem::path folder) : folder_(std::move(folder)) {}
  chunked::ShardSlot slot(const ChunkAddress& chunk) const override {
    return {chunk.level, static_cast<std::uint64_t>(chunk.index.x / 4),
            static_cast<std::size_t>(chunk.index.x % 4)};
  }
  chunked::ShardPlan plan(const chunked::ShardSlot& shard) const override {
    return {folder_ / std::to_string(shard.shard), 4, 4, 2};
  }
  chunked::ShardIndex index(const chunked::ShardSlot&, std::span<const ChunkPlace> places,
                            std::uint64_t) const override {
    chunked::ShardIndex index;
    index.head = bytes_of_string("<<");
    for (const ChunkPlace& place : places)
      if (!place.absent()) index.tail.push_back(std::byte{'!'});
    return index;
  }

 private:
  std::filesystem::path folder_;
};

class ShardFilesTest : public testing::Test {
 protected:
  static ChunkAddress at(std::int64_t x) { return {0, {x, 0, 0}, 0}; }
  std::size_t names() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_.path()), {}));
  }
  test::TemporaryFolder folder_;
  RowFormat format_{folder_.path()};
};

TEST_F(ShardFilesTest, AppearWholeWithTheLastChunkAndInOrder) {
  for (const std::int64_t memory : {std::int64_t{0}, std::int64_t{1} << 21}) {
    chunked::ShardFiles shards(format_, memory);
    shards.add(at(3), bytes_of_string("ddd"));
    shards.add(at(0), bytes_of_string("a"));
    shards.skip(at(1));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "0"));
    shards.add(at(2), bytes_of_string("cc"));
    EXPECT_EQ(test::read_file(folder_ / "0"), "<<accddd!!!");
    EXPECT_EQ(names(), 1U) << "with a memory of " << memory;
    EXPECT_EQ(shards.spilled(), memory == 0 ? 6 : 0);
    EXPECT_EQ(shards.bytes(), 11);
    std::filesystem::remove(folder_ / "0");
  }
}

TEST_F(ShardFilesTest, KeepChunksOverTheSeamsOfBlocksAndSpillWhenMemoryIsFull) {
  // Four chunks of 1.5 MiB: two and a part of the third fit in four MiB.
  std::vector<std::vector<std::byte>> chunks;
  for (int i = 0; i < 4; ++i) chunks.emplace_back(3 << 19, static_cast<std::byte>('a' + i));
  for (const std::int64_t memory : {1 << 22, 1 << 24}) {
    chunked::ShardFiles shards(format_, memory);
    for (int i = 3; i >= 0; --i) shards.add(at(i), chunks[static_cast<std::size_t>(i)]);
    EXPECT_EQ(shards.spilled(), memory == 1 << 22 ? 2 * (3 << 19) : 0);
    std::string expected = "<<";
    for (int i = 0; i < 4; ++i) expected += std::string(3 << 19, static_cast<char>('a' + i));
    EXPECT_TRUE(test::read_file(folder_ / "0") == expected + "!!!!");
    std::filesystem::remove(folder_ / "0");
  }
}

TEST_F(ShardFilesTest, OfZerosOnlyDoNotExist) {
  chunked::ShardFiles shards(format_, 1 << 22);
  for (int i = 0; i < 4; ++i) shards.skip(at(i));
  shards.finish();
  EXPECT_EQ(names(), 0U);
  EXPECT_EQ(shards.files(), 0);
}

TEST_F(ShardFilesTest, ThatAreNotCompleteAreWrittenInTheEnd) {
  chunked::ShardFiles shards(format_, 1 << 22);
  shards.add(at(6), bytes_of_string("x"));
  EXPECT_EQ(names(), 0U);
  shards.finish();
  EXPECT_EQ(test::read_file(folder_ / "1"), "<<x!");
}

TEST_F(ShardFilesTest, LeaveNothingBehindWhenTheyAreGivenUp) {
  {
    chunked::ShardFiles shards(format_, 0);
    for (int i = 0; i < 40; i += 4) shards.add(at(i), bytes_of_string("x"));
    EXPECT_EQ(names(), 10U);
  }
  EXPECT_EQ(names(), 0U);
}

TEST_F(ShardFilesTest, RefuseAChunkThatComesTwice) {
  for (const std::int64_t memory : {0, 1 << 22}) {
    chunked::ShardFiles shards(format_, memory);
    shards.add(at(2), bytes_of_string("x"));
    EXPECT_THAT([&] { shards.add(at(2), bytes_of_string("x")); }, ThrowsMessage<Error>(HasSubstr("twice")));
  }
}

TEST_F(ShardFilesTest, TakeChunksFromManyThreadsAndNeedNoDescriptors) {
  constexpr int kShards = 1200, kThreads = 4;  // more than the usual limit of open files
  chunked::ShardFiles shards(format_, std::int64_t{1} << 23);
  std::vector<std::thread> team;
  for (int thread = 0; thread < kThreads; ++thread)
    team.emplace_back([&, thread] {
      for (int i = 0; i < kShards; ++i) {
        const std::string text = std::to_string(i) + char('a' + thread);
        shards.add(at((i * 4 + thread + i) % 4 + i * 4), bytes_of_string(text));
      }
    });
  for (std::thread& t : team) t.join();
  EXPECT_EQ(shards.files(), kShards);
  EXPECT_GT(shards.spilled(), 0);
  EXPECT_EQ(test::read_file(folder_ / "1"), "<<1d1a1b1c!!!!");
  EXPECT_EQ(test::read_file(folder_ / "1198"), "<<1198c1198d1198a1198b!!!!");
}

TEST(ZarrChannels, AreStoredAndShownApart) {
  test::RecordingHost host;
  test::TemporaryFolder folder;
  const ChannelSpec channels[] = {{"red", "FF0000", 10, 200.4}, {"", "", 0, 0}};
  const std::map<std::string, std::string> versions[] = {
      {{"zarr-format", "2"}}, {{"zarr-format", "3"}}, {{"zarr-format", "3"}, {"shard", "16,16,16"}}};
  for (const auto& given : versions) {
    const std::filesystem::path path = folder / std::to_string(std::distance(versions, &given));
    const test::TableOptions options(zarr::ZarrWriter::kOptions, given);
    zarr::ZarrWriter writer(host, options.options(), path.string());
    VolumeSpec spec;
    spec.shape = {12, 9, 20};
    spec.chunk = {8, 8, 8};
    spec.voxel_um = {1, 1, 1};
    spec.name = "two";
    spec.channel_count = 2;
    spec.channels = channels;
    EXPECT_GE(writer.most_channels(), 2);
    writer.begin(spec);
    const Index3 grid = ceil_div(spec.shape, spec.chunk);
    for (std::int32_t channel = 0; channel < 2; ++channel)
      for (std::int64_t i = 0; i < count(grid); ++i) {
        const Index3 index{i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y};
        const Index3 begin{index.x * 8, index.y * 8, index.z * 8};
        const Index3 size = min(spec.chunk, spec.shape - begin);
        const std::vector<std::uint16_t> voxels(static_cast<std::size_t>(count(size)),
                                                static_cast<std::uint16_t>(100 * channel + i + 1));
        writer.write({0, index, channel}, dense_view(voxels.data(), size));
      }
    EXPECT_THROW(writer.write_zero({0, {0, 0, 0}, 2}), Error);
    writer.finish();
    for (std::int32_t channel = 0; channel < 2; ++channel) {
      const test::TableOptions chosen(zarr::ZarrReader::kOptions, {{"channel", std::to_string(channel)}});
      zarr::ZarrReader reader(host, chosen.options(), path.string());
      EXPECT_EQ(reader.info().channels, 2);
      const auto expected = [&](std::int32_t, Index3 p) {
        const std::int64_t i = (p.z / 8 * grid.y + p.y / 8) * grid.x + p.x / 8;
        return static_cast<std::uint16_t>(100 * channel + i + 1);
      };
      EXPECT_EQ(test::difference(reader, 0, {{0, 0, 0}, spec.shape}, expected), "");
    }
    const std::string text =
        test::read_file(path / (given.at("zarr-format") == "2" ? ".zattrs" : "zarr.json"));
    for (const char* part :
         {"\"red\"", "\"FF0000\"", "\"start\": 10", "\"end\": 200", "\"two 1\"", "\"FF00FF\""})
      EXPECT_THAT(text, HasSubstr(part));
  }
}

}  // namespace
