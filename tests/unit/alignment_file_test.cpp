// The alignment file: as the original programs wrote it, with ours beside it, and nothing surprising read.
#include "spim/host/alignment_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "spim/error.hpp"
#include "spim/host/solve.hpp"
#include "support/temporary_folder.hpp"
#include "support/tile_grid.hpp"

namespace spim {
namespace {

using nlohmann::json;
using test::TileGrid;

class AlignmentFiles : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    const auto path = folder.path() / "a.json";
    std::ofstream(path) << text;
    return path;
  }
  std::string refusal(const std::string& text) {
    try {
      const AlignmentFile file(write(text));
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("a.json"), std::string::npos) << error.what();
      return error.what();
    }
    return "";
  }
  static AlignmentResult solved(const TileGrid& grid, bool align_xz) {
    AlignmentResult result = grid.links();
    solve_positions(result, {.align_xz = align_xz});
    return result;
  }

  test::TemporaryFolder folder;
};

TEST_F(AlignmentFiles, HasTheKeysOfTheOriginalPrograms) {
  const TileGrid grid({2, 2, 1}, 4);
  const AlignmentResult result = solved(grid, true);
  const json file = json::parse(alignment_text(result, {"1.2.3", "oblique-align", {{"seed", "1"}}, {}}));
  EXPECT_EQ(file["voxel_size"], result.y_voxel.value_um);
  EXPECT_EQ(file["voxel_sizes"], json::array({1.0, 1.0, 1.0}));
  EXPECT_EQ(file["align-z"], true);
  const Vec3 at = result.tiles[3].position_um;
  EXPECT_EQ(file["alignments"]["[90.0, 90.0, 0.0]"], json::array({at.x, at.y, at.z}));
  const json sample = file["[[0.0, 0.0, 0.0], [0.0, 90.0, 0.0]]"][0];
  EXPECT_EQ(sample["key_a"], json::array({0.0, 0.0, 0.0}));
  EXPECT_EQ(sample["key_b"], json::array({0.0, 90.0, 0.0}));
  // A feature that the second tile shows at b instead of a means that the tile moves by a − b.
  const Vec3 shift = grid.errors[2] - grid.errors[0];
  EXPECT_NEAR(sample["ya"].get<double>() - sample["yb"].get<double>(), shift.y, 1e-9);
  EXPECT_NEAR(sample["za"].get<double>() - sample["zb"].get<double>(), shift.z, 1e-9);
  EXPECT_EQ(sample["corr"], 0.99);
  EXPECT_EQ(file["spimstitch"]["version"], "1.2.3");
  EXPECT_EQ(file["spimstitch"]["configuration"]["options"]["seed"], 1);
  EXPECT_EQ(file["spimstitch"]["links"].size(), 4U);
  EXPECT_EQ(file["spimstitch"]["tiles"].size(), 4U);
}

TEST_F(AlignmentFiles, IsReadBack) {
  const TileGrid grid({3, 2, 1}, 4);
  const AlignmentResult result = solved(grid, true);
  const auto path = folder.path() / "b.json";
  save_alignment(result, {}, path);
  const AlignmentFile file(path);
  EXPECT_TRUE(file.aligns_xz());
  EXPECT_EQ(file.size(), 6U);
  EXPECT_EQ(file.voxel_um(), (Vec3{1, 1, 1}));
  EXPECT_EQ(file.origin_um(), result.origin_um);
  EXPECT_EQ(file.verdict(), verdict_text(result.verdict));
  for (const AlignedTile& tile : result.tiles) EXPECT_EQ(file.find(tile.stage_um), tile.position_um);
  EXPECT_EQ(file.find({1, 2, 3}), std::nullopt);
}

TEST_F(AlignmentFiles, RejectedLinksAreThereWithTheReason) {
  const TileGrid grid({3, 3, 1}, 4);
  AlignmentResult result = grid.links();
  result.links[5].shift_voxels.y += 20;
  solve_positions(result, {.align_xz = true});
  const json file = json::parse(alignment_text(result, {}));
  const json link = file["spimstitch"]["links"][5];
  EXPECT_EQ(link["trusted"], false);
  EXPECT_NE(link["rejected_because"].get<std::string>().find("contradicts"), std::string::npos);
  EXPECT_EQ(link["other_samples"].size(), 1U);
  std::size_t pairs = 0;
  for (const auto& [key, value] : file.items()) pairs += key.starts_with("[[");
  EXPECT_EQ(pairs, result.links.size() - 1);
}

TEST_F(AlignmentFiles, FilesOfTheOriginalProgramsAreRead) {
  const AlignmentFile file(
      write(R"({"voxel_sizes": [1.28, 1.8, 1.27], "[[0.0, 0.0, 0.0], [0.0, 90.0, 0.0]]": [],
    "alignments": {"[0.0, 0.0, 0.0]": [0.0, 0.0, 0.0], "[0.0, 90.0, 0.0]": [1.5, 91.25, -0.5]}, "align-z": false})"));
  EXPECT_FALSE(file.aligns_xz());
  EXPECT_EQ(file.find({0, 90, 0}), (Vec3{1.5, 91.25, -0.5}));
  EXPECT_EQ(file.voxel_um(), std::nullopt);  // its positions are taken as they stand
  EXPECT_EQ(file.origin_um(), (Vec3{0, 0, 0}));
  const AlignmentFile flat(write(R"({"alignments": {"[0, 90]": [1, 2]}})"));
  EXPECT_EQ(flat.find({0, 90, 7}), (Vec3{1, 2, 7}));
}

TEST_F(AlignmentFiles, WhatIsNoAlignmentIsRefusedInOneSentence) {
  EXPECT_NE(refusal("{"), "");
  EXPECT_NE(refusal("[]"), "");
  EXPECT_NE(refusal("{}").find("alignments"), std::string::npos);
  EXPECT_NE(refusal(R"({"alignments": {"[0]": [1, 2, 3]}})").find("[0]"), std::string::npos);
  EXPECT_NE(refusal(R"({"alignments": {"[0, 0, 0]": ["a", 1, 2]}})").find("not a number"), std::string::npos);
  EXPECT_NE(refusal(R"({"alignments": {"[0, 0, 0]": [1e300, 1, 2]}})").find("no position"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"alignments": {"[0, 0]": [1, 2], "[0.0, 0.0]": [1, 2]}})").find("twice"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"alignments": {}, "alignments": {}})").find("twice"), std::string::npos);
  EXPECT_NE(refusal(R"({"alignments": {}, "align-z": 3})").find("align-z"), std::string::npos);
  EXPECT_NE(refusal(R"({"alignments": {}, "spimstitch": 3})").find("spimstitch"), std::string::npos);
  EXPECT_NE(refusal(R"({"alignments": {}, "spimstitch": {"origin": [0, 0, 0]}, "voxel_sizes": [0, 1, 1]})"),
            "");
}

TEST_F(AlignmentFiles, DeepNestingAndMissingFilesAreRefused) {
  EXPECT_NE(refusal("{\"a\": " + std::string(100000, '[') + std::string(100000, ']') + "}").find("nested"),
            std::string::npos);
  EXPECT_THROW(AlignmentFile(folder.path() / "absent.json"), Error);
  EXPECT_THROW(AlignmentFile(folder.path()), Error);
}

}  // namespace
}  // namespace spim
