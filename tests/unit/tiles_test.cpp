// The folder layout of an acquisition is read without overlooking a tile.

#include "spim/host/tiles.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "spim/error.hpp"

namespace spim {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What readers of volumes would claim: a folder with a file "volume" in it, and files named .vol.
bool is_volume(const fs::path& path) {
  return fs::exists(path / "volume") || path.extension() == ".vol";
}

/// An acquisition folder that is removed at the end of the test.
class Tiles : public ::testing::Test {
 protected:
  Tiles() {
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    root_ = fs::temp_directory_path() / ("spim_tiles_" + name + "_" + std::to_string(getpid()));
    fs::create_directories(root_);
  }
  ~Tiles() override { fs::remove_all(root_); }

  void touch(const std::string& path) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << "x";
  }
  std::string camera_error() {
    try {
      find_camera_tiles(root_);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  std::string volume_error() {
    try {
      find_volume_tiles(root_, is_volume);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  fs::path root_;
};

TEST_F(Tiles, AreSortedByNumberNotByName) {
  for (const char* path : {"9/9_10/0.dcimg", "10/10_9/0.dcimg", "10/10_10/5.DCIMG", "10/10_10/-200.dcimg"})
    touch(path);
  std::vector<Vec3> stage;
  for (const TilePath& tile : find_camera_tiles(root_)) stage.push_back(tile.stage_um);
  EXPECT_THAT(stage, ElementsAre(Vec3{0.9, 1, 0}, Vec3{1, 0.9, 0}, Vec3{1, 1, -20}, Vec3{1, 1, 0.5}));
}

TEST_F(Tiles, MayHaveNegativeCoordinates) {
  touch("-5000/-5000_-120/-30.dcimg");
  const std::vector<TilePath> tiles = find_camera_tiles(root_);
  ASSERT_EQ(tiles.size(), 1U);
  EXPECT_EQ(tiles[0].stage_um, (Vec3{-500, -12, -3}));
  EXPECT_EQ(tiles[0].path, root_ / "-5000/-5000_-120/-30.dcimg");
}

TEST_F(Tiles, IgnoreHiddenEntriesAndOtherFiles) {
  for (const char* path : {"metadata.txt", ".cache/x", "0/notes.txt", "0/0_0/0.config.json", "0/0_0/.1.dcimg",
                           "0/0_0/0.dcimg", "0/.0_7/0.dcimg"})
    touch(path);
  EXPECT_EQ(find_camera_tiles(root_).size(), 1U);
}

TEST_F(Tiles, OfAnotherCameraAreFoundByTheGivenTest) {
  touch("0/0_0/-7.camera.raw");
  touch("0/0_0/readme.txt");
  EXPECT_THAT(camera_error(), HasSubstr("holds no camera file"));
  const auto tiles =
      find_camera_tiles(root_, [](const fs::path& path) { return path.extension() == ".raw"; });
  ASSERT_EQ(tiles.size(), 1U);
  EXPECT_EQ(tiles[0].stage_um, (Vec3{0, 0, -0.7}));
}

TEST_F(Tiles, WithNamesThatAreNoCoordinatesAreRefused) {
  touch("0/0_0/0.dcimg");
  touch("0/0_0/left.dcimg");
  EXPECT_THAT(camera_error(), AllOf(HasSubstr("left.dcimg"), HasSubstr("is not a coordinate <z>")));
  fs::remove(root_ / "0/0_0/left.dcimg");
  touch("0/0_1a/0.dcimg");
  EXPECT_THAT(camera_error(), AllOf(HasSubstr("0_1a"), HasSubstr("<x>_<y>")));
  fs::remove_all(root_ / "0/0_1a");
  touch("0/0/0.dcimg");
  EXPECT_THAT(camera_error(), HasSubstr("<x>_<y>"));
  fs::remove_all(root_ / "0/0");
  touch("stitched/0_0/0.dcimg");
  EXPECT_THAT(camera_error(), AllOf(HasSubstr("stitched"), HasSubstr("<x>")));
}

TEST_F(Tiles, WithHugeNumbersAreRefused) {
  touch("99999999999999999999/99999999999999999999_0/0.dcimg");
  EXPECT_THAT(camera_error(), HasSubstr("is not a coordinate"));
}

TEST_F(Tiles, OutsideTheirFoldersAreRefused) {
  touch("0/0_0/0.dcimg");
  touch("0/1.dcimg");
  EXPECT_THAT(camera_error(), AllOf(HasSubstr("0/1.dcimg"), HasSubstr("not in a folder of its position")));
}

TEST_F(Tiles, WhoseFoldersContradictAreRefused) {
  touch("100/200_0/0.dcimg");
  EXPECT_THAT(camera_error(), AllOf(HasSubstr("200_0"), HasSubstr("contradicts x 100")));
}

TEST_F(Tiles, AtTheSamePositionAreRefused) {
  touch("0/0_0/7.dcimg");
  touch("0/0_0/07.dcimg");
  EXPECT_THAT(camera_error(), AllOf(HasSubstr("07.dcimg"), HasSubstr("same position")));
}

TEST_F(Tiles, WithAnEmptyPositionFolderAreRefused) {
  touch("0/0_0/0.dcimg");
  fs::create_directories(root_ / "0/0_5");
  EXPECT_THAT(camera_error(), AllOf(HasSubstr("0_5"), HasSubstr("holds no camera file")));
}

TEST_F(Tiles, NeedAFolderWithTiles) {
  EXPECT_THAT(camera_error(), HasSubstr("no camera file below it"));
  EXPECT_THROW(find_camera_tiles(root_ / "absent"), Error);
  touch("file");
  EXPECT_THROW(find_camera_tiles(root_ / "file"), Error);
}

TEST_F(Tiles, OfVolumesAreTheFoldersAndFilesThatAReaderClaims) {
  touch("0/0_0/0/volume");
  touch("0/0_0/300.vol");
  touch("0/0_0/0.config.json");
  const std::vector<TilePath> tiles = find_volume_tiles(root_, is_volume);
  ASSERT_EQ(tiles.size(), 2U);
  EXPECT_EQ(tiles[0].path, root_ / "0/0_0/0");
  EXPECT_EQ(tiles[1].stage_um, (Vec3{0, 0, 30}));
}

TEST_F(Tiles, OfVolumesRefuseAnUnfinishedOne) {
  touch("0/0_0/0/volume");
  fs::create_directories(root_ / "0/0_0/300/1_1_1");
  EXPECT_THAT(volume_error(), AllOf(HasSubstr("0_0/300"), HasSubstr("holds no volume")));
}

TEST_F(Tiles, ThatAreMissingFromTheGridAreNamed) {
  for (const char* path : {"0/0_0/0.dcimg", "0/0_9/0.dcimg", "8/8_0/0.dcimg"}) touch(path);
  const std::vector<Vec3> missing = missing_positions(find_camera_tiles(root_));
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(position_text(missing[0]), "x 8, y 9, z 0");
  touch("8/8_9/0.dcimg");
  EXPECT_TRUE(missing_positions(find_camera_tiles(root_)).empty());
}

}  // namespace
}  // namespace spim
