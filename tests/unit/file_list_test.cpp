// link: spim_file_list
/// Which files a stack is made of, and in which order.

#include "common/file_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spim/error.hpp"
#include "support/temporary_folder.hpp"

namespace {

using namespace spim;
using namespace spim::reading;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const Endings kEndings{".tif", ".tiff"};

TEST(NaturalOrder, CountsNumbersInNames) {
  EXPECT_TRUE(natural_less("img_2", "img_10"));
  EXPECT_FALSE(natural_less("img_10", "img_2"));
  EXPECT_TRUE(natural_less("a1b2", "a1b10"));
  EXPECT_TRUE(natural_less("img", "img_1"));
  EXPECT_TRUE(natural_less("99999999999999999999", "100000000000000000000"));
  EXPECT_FALSE(natural_less("x1", "x1"));
  // The same number twice has an order all the same.
  EXPECT_NE(natural_less("x01", "x1"), natural_less("x1", "x01"));
}

TEST(ListFiles, TakesWhatEndsRightAndIsNotHidden) {
  const test::TemporaryFolder folder;
  for (const char* name : {"f10.tif", "f9.TIFF", ".f8.tif", "notes.txt", "tif"})
    test::write_file(folder / name, "x");
  std::filesystem::create_directory(folder / "f11.tif");
  const std::string root = folder.path().string() + "/";
  EXPECT_THAT(list_files(folder.path().string(), kEndings), ElementsAre(root + "f9.TIFF", root + "f10.tif"));
  EXPECT_THAT(list_files(root, kEndings), ElementsAre(root + "f9.TIFF", root + "f10.tif"));
  EXPECT_THAT(list_files(root + "f*.tif", kEndings), ElementsAre(root + "f10.tif"));
  EXPECT_THAT(list_files(root + "notes.txt", kEndings), ElementsAre(root + "notes.txt"));
}

TEST(ListFiles, TakesAPathThatExistsAsItIs) {
  const test::TemporaryFolder folder;
  test::write_file(folder / "f[1].tif", "x");
  test::write_file(folder / "f1.tif", "x");
  const std::string path = folder / "f[1].tif";
  EXPECT_THAT(list_files(path, kEndings), ElementsAre(path));
}

TEST(ListFiles, NamesWhatHoldsNothing) {
  const test::TemporaryFolder folder;
  for (const char* name : {"", "/*.tif", "/absent"}) {
    const std::string path = folder.path().string() + name;
    try {
      list_files(path, kEndings);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(path));
    }
  }
}

TEST(Numbering, RunsOnByOneStep) {
  EXPECT_NO_THROW(check_numbering({"a.tif"}));
  EXPECT_NO_THROW(check_numbering({"a1.tif", "a5.tif"}));
  EXPECT_NO_THROW(check_numbering({"a/8.tif", "a/9.tif", "a/10.tif", "a/11.tif"}));
  EXPECT_NO_THROW(check_numbering({"z0000_c1", "z0128_c1", "z0256_c1"}));
  EXPECT_NO_THROW(check_numbering({"dark.tif", "flat.tif"}));
  EXPECT_NO_THROW(check_numbering({"t1_z1", "t1_z2", "t2_z1", "t2_z9"}));
}

TEST(Numbering, NamesTheFilesBesideAGap) {
  const auto refusal = [](const std::vector<std::string>& files) -> std::string {
    try {
      check_numbering(files);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_THAT(refusal({"f08.tif", "f09.tif", "f11.tif", "f12.tif"}),
              AllOf(HasSubstr("1 frame is missing"), HasSubstr("f09.tif"), HasSubstr("f11.tif")));
  EXPECT_THAT(refusal({"f1", "f2", "f3", "f7"}), HasSubstr("3 frames are missing"));
  EXPECT_THAT(refusal({"f0", "f4", "f8", "f14"}), HasSubstr("missing between f8 and f14"));
  EXPECT_THAT(refusal({"f1", "f01", "f2"}), HasSubstr("same number"));
}

TEST(Probing, IsLessSureOfListsThanOfFiles) {
  const test::TemporaryFolder folder;
  test::write_file(folder / "a.tif", "x");
  const auto certain = [](const char*) { return 100; };
  EXPECT_EQ(probe_list(folder.path().string(), kEndings, certain), 80);
  EXPECT_EQ(probe_list(folder.path().string() + "/*.png", kEndings, certain), 0);
}

}  // namespace
