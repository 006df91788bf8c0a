// link: spim_null
/// The writer that stores nothing: its counts and its checksum.

#include "plugins/writers/null/null_writer.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "spim/error.hpp"
#include "support/recording_host.hpp"
#include "support/temporary_folder.hpp"
#include "support/volume_round_trip.hpp"

namespace {

using namespace spim;
using null::chunk_checksum;
using null::NullWriter;

VolumeSpec spec() {
  VolumeSpec s;
  s.shape = {50, 40, 30};
  s.chunk = {16, 16, 16};
  s.levels = 2;
  s.voxel_um = {1, 1, 1};
  return s;
}

class Null : public testing::Test {
 protected:
  std::map<std::string, std::string> write(const test::VoxelFunction& voxel, int threads = 1) {
    NullWriter writer(host_, Options{}, (folder_ / std::to_string(++written_)).string());
    test::write_volume(writer, spec(), voxel, threads);
    test::Described described;
    writer.describe(described);
    return described.values;
  }
  test::RecordingHost host_;
  test::TemporaryFolder folder_;
  int written_ = 0;
};

TEST_F(Null, CountsChunksAndVoxelsOfEveryLevel) {
  const auto said =
      write([](std::int32_t, Index3 at) { return static_cast<std::uint16_t>(at.z < 16 ? 1 : 0); });
  EXPECT_EQ(said.at("level 0 chunks"), "24");
  EXPECT_EQ(said.at("level 0 zero chunks"), "12");
  EXPECT_EQ(said.at("level 0 voxels"), "60000");
  EXPECT_EQ(said.at("level 1 chunks"), "4");
  EXPECT_EQ(said.at("level 1 zero chunks"), "0");
}

TEST_F(Null, TheFileSaysWhatWasCounted) {
  const auto said = write(test::scrambled(100));
  const auto report = nlohmann::json::parse(test::read_file(folder_ / "1"));
  EXPECT_EQ(report["shape"], nlohmann::json({50, 40, 30}));
  EXPECT_EQ(report["levels"][0]["voxels"], 60000);
  EXPECT_EQ(report["levels"][1]["checksum"], said.at("level 1 checksum"));
}

TEST_F(Null, TheChecksumDoesNotDependOnThreadsButOnEveryVoxel) {
  const auto once = write(test::scrambled(65535));
  EXPECT_EQ(write(test::scrambled(65535), 4), once);
  for (const Index3 changed : {Index3{0, 0, 0}, Index3{49, 39, 29}, Index3{15, 16, 17}, Index3{3, 0, 0}}) {
    const auto voxel = [&](std::int32_t level, Index3 at) {
      return static_cast<std::uint16_t>(test::scrambled(65535)(level, at) ^
                                        (level == 0 && at == changed ? 1 : 0));
    };
    const auto other = write(voxel);
    EXPECT_NE(other.at("level 0 checksum"), once.at("level 0 checksum"));
    EXPECT_EQ(other.at("level 1 checksum"), once.at("level 1 checksum"));
  }
}

TEST(NullChecksum, DependsOnThePlaceAndTheOrderOfVoxels) {
  std::vector<std::uint16_t> voxels(64);
  for (std::size_t i = 0; i < voxels.size(); ++i) voxels[i] = static_cast<std::uint16_t>(i);
  const auto of = [&](ChunkAddress at, Index3 size) {
    return chunk_checksum(at, as_const(dense_view(voxels.data(), size)));
  };
  const auto first = of({0, {0, 0, 0}}, {4, 4, 4});
  EXPECT_NE(first, of({0, {1, 0, 0}}, {4, 4, 4}));
  EXPECT_NE(first, of({0, {0, 1, 0}}, {4, 4, 4}));
  EXPECT_NE(first, of({1, {0, 0, 0}}, {4, 4, 4}));
  EXPECT_NE(first, of({0, {0, 0, 0}}, {8, 4, 2}));
  std::swap(voxels[1], voxels[18]);
  EXPECT_NE(first, of({0, {0, 0, 0}}, {4, 4, 4}));
}

TEST(NullChecksum, OfZerosIsZeroHoweverTheyAreAnnounced) {
  const std::vector<std::uint16_t> zeros(64);
  EXPECT_EQ(chunk_checksum({0, {3, 2, 1}}, dense_view(zeros.data(), Index3{4, 4, 4})), 0U);
}

TEST_F(Null, ChunksThatDoNotExistAreErrors) {
  NullWriter writer(host_, Options{}, (folder_ / "x").string());
  writer.begin(spec());
  EXPECT_THROW(writer.write_zero({2, {0, 0, 0}}), Error);
  EXPECT_THROW(writer.write_zero({0, {4, 0, 0}}), Error);
  EXPECT_THROW(writer.write_zero({0, {0, -1, 0}}), Error);
}

}  // namespace
