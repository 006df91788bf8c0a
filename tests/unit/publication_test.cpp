#include "spim/host/publication.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>

#include "spim/error.hpp"

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class PublicationTest : public testing::Test {
 protected:
  PublicationTest() {
    std::string name = (fs::temp_directory_path() / "publication-XXXXXX").string();
    folder_ = fs::canonical(::mkdtemp(name.data()));
  }
  ~PublicationTest() override {
    std::error_code ignored;
    fs::permissions(folder_, fs::perms::owner_all, ignored);
    fs::remove_all(folder_, ignored);
  }

  static void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  static std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const spim::Error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST_F(PublicationTest, NothingHasTheFinalNameBeforeCommit) {
  spim::Publication output(folder_ / "out", false);
  EXPECT_FALSE(fs::exists(output.path()));
  write(output.path() / "a" / "b", "hello");
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  output.commit();
  EXPECT_EQ(text_of(folder_ / "out" / "a" / "b"), "hello");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(PublicationTest, TemporaryNameIsAHiddenSiblingThatSaysWhoseItIs) {
  const spim::Publication output(folder_ / "out.zarr", false);
  EXPECT_EQ(output.path().parent_path(), folder_);
  const std::string name = output.path().filename().string();
  EXPECT_TRUE(name.starts_with(".out.zarr.partial-"));
  EXPECT_THAT(name, HasSubstr("-" + std::to_string(::getpid()) + "-"));
}

TEST_F(PublicationTest, PublishesASingleFile) {
  spim::Publication output(folder_ / "slice.png", false);
  write(output.path(), "pixels");
  output.commit();
  EXPECT_EQ(text_of(folder_ / "slice.png"), "pixels");
}

TEST_F(PublicationTest, WithoutCommitNothingIsLeftNotEvenNewParents) {
  {
    spim::Publication output(folder_ / "p" / "q" / "out", false);
    write(output.path() / "a", "half");
  }
  EXPECT_EQ(entries(), 0u);
}

TEST_F(PublicationTest, CreatesMissingParents) {
  spim::Publication output(folder_ / "p" / "q" / "out", false);
  write(output.path() / "a", "x");
  output.commit();
  EXPECT_TRUE(fs::exists(folder_ / "p" / "q" / "out" / "a"));
}

TEST_F(PublicationTest, RefusesAnExistingOutputAndNamesTheOption) {
  write(folder_ / "out" / "a", "old");
  EXPECT_THAT(message_of([&] { spim::Publication(folder_ / "out", false); }), HasSubstr("--overwrite"));
  write(folder_ / "file", "old");
  EXPECT_THAT(message_of([&] { spim::Publication(folder_ / "file", false); }), HasSubstr("--overwrite"));
  EXPECT_EQ(text_of(folder_ / "out" / "a"), "old");
}

TEST_F(PublicationTest, AnEmptyFolderIsNoOutputYet) {
  fs::create_directory(folder_ / "out");
  {
    spim::Publication output(folder_ / "out", false);
    write(output.path() / "a", "new");
    output.commit();
  }
  EXPECT_EQ(text_of(folder_ / "out" / "a"), "new");

  fs::create_directory(folder_ / "file");
  spim::Publication output(folder_ / "file", false);
  write(output.path(), "new");
  output.commit();
  EXPECT_EQ(text_of(folder_ / "file"), "new");
}

TEST_F(PublicationTest, OverwriteReplacesTheOldOutputOnlyAtCommit) {
  write(folder_ / "out" / "info", "{}");
  write(folder_ / "out" / "old", "old");
  {
    spim::Publication abandoned(folder_ / "out", true);
    write(abandoned.path() / "new", "new");
  }
  EXPECT_EQ(text_of(folder_ / "out" / "old"), "old");
  spim::Publication output(folder_ / "out", true);
  write(output.path() / "new", "new");
  EXPECT_EQ(text_of(folder_ / "out" / "old"), "old");
  output.commit();
  EXPECT_EQ(text_of(folder_ / "out" / "new"), "new");
  EXPECT_FALSE(fs::exists(folder_ / "out" / "old"));
  EXPECT_EQ(entries(), 1u);
  EXPECT_TRUE(output.left_behind().empty());
}

TEST_F(PublicationTest, OverwriteExchangesFilesAndFolders) {
  write(folder_ / "out", "a file");
  spim::Publication output(folder_ / "out", true);
  write(output.path() / "a", "in a folder");
  output.commit();
  EXPECT_EQ(text_of(folder_ / "out" / "a"), "in a folder");
}

TEST_F(PublicationTest, OverwriteRemovesNoFolderThatIsNotAnOutput) {
  write(folder_ / "data" / "thesis", "precious");
  EXPECT_THAT(message_of([&] { spim::Publication(folder_ / "data", true); }),
              HasSubstr("does not look like"));
  EXPECT_EQ(text_of(folder_ / "data" / "thesis"), "precious");
  write(folder_ / "data.config.json", "{}");  // whatever the format is, a command wrote this beside it
  spim::Publication(folder_ / "data", true);
}

TEST_F(PublicationTest, CommitOfNothingFailsAndLeavesTheOldOutput) {
  write(folder_ / "out" / ".zattrs", "{}");
  write(folder_ / "out" / "old", "old");
  spim::Publication output(folder_ / "out", true);
  EXPECT_THAT(message_of([&] { output.commit(); }), HasSubstr("was not written"));
  EXPECT_EQ(text_of(folder_ / "out" / "old"), "old");
}

TEST_F(PublicationTest, AnOutputThatAppearedMeanwhileIsNotReplaced) {
  spim::Publication output(folder_ / "out", false);
  write(output.path() / "mine", "mine");
  write(folder_ / "out" / "theirs", "theirs");
  EXPECT_THAT(message_of([&] { output.commit(); }), HasSubstr("in the meantime"));
  EXPECT_EQ(text_of(folder_ / "out" / "theirs"), "theirs");
  EXPECT_FALSE(fs::exists(folder_ / "out" / "mine"));
}

TEST_F(PublicationTest, TwoRunsWithOneTargetDoNotMeet) {
  spim::Publication a(folder_ / "out", true);
  spim::Publication b(folder_ / "out", true);
  EXPECT_NE(a.path(), b.path());
  write(a.path() / "a", "a");
  write(b.path() / "b", "b");
  a.commit();
  b.commit();
  EXPECT_TRUE(fs::exists(folder_ / "out" / "b"));
  EXPECT_FALSE(fs::exists(folder_ / "out" / "a"));
}

TEST_F(PublicationTest, ManyFilesAreSyncedThroughTheFileSystem) {
  spim::Publication output(folder_ / "out", false);
  for (int i = 0; i < 300; ++i) write(output.path() / std::to_string(i % 7) / std::to_string(i), "x");
  output.commit();
  EXPECT_TRUE(fs::exists(folder_ / "out" / "5" / "299"));
}

TEST_F(PublicationTest, FollowsALinkToTheRealOutput) {
  fs::create_directory(folder_ / "disk");
  fs::create_directory_symlink(folder_ / "disk", folder_ / "link");
  spim::Publication output(folder_ / "link" / "out", false);
  EXPECT_EQ(output.path().parent_path(), folder_ / "disk");
  write(output.path(), "x");
  output.commit();
  EXPECT_TRUE(fs::exists(folder_ / "disk" / "out"));
}

TEST_F(PublicationTest, ATrailingSlashChangesNothing) {
  spim::Publication output((folder_ / "out").string() + "/", false);
  write(output.path() / "a", "x");
  output.commit();
  EXPECT_TRUE(fs::exists(folder_ / "out" / "a"));
}

TEST_F(PublicationTest, NeverReplacesTheFolderThatWeAreIn) {
  EXPECT_THAT(message_of([&] { spim::Publication(fs::current_path(), true); }), HasSubstr("current folder"));
  EXPECT_THAT(message_of([&] { spim::Publication("/", true); }), HasSubstr("current folder"));
  EXPECT_THAT(message_of([&] { spim::Publication("..", true); }), HasSubstr("current folder"));
  EXPECT_THROW(spim::Publication("", true), spim::UsageError);
}

TEST_F(PublicationTest, NeverReplacesWhatItIsMadeFromOrAFolderAroundIt) {
  const std::vector<fs::path> inputs{folder_ / "scan" / "0" / "0.dcimg"};
  write(inputs.front(), "precious");
  write(folder_ / "scan-old" / "truth" / "truth.json", "old");
  fs::create_directory_symlink(folder_ / "scan", folder_ / "link");
  for (const fs::path& target : {inputs.front(), folder_ / "scan" / "0", folder_ / "scan", folder_ / "link"})
    EXPECT_THAT(message_of([&] { spim::Publication(target, true, inputs); }), HasSubstr("0.dcimg")) << target;
  EXPECT_EQ(text_of(inputs.front()), "precious");
  spim::Publication(folder_ / "scan-old", true, inputs);
  spim::Publication(folder_ / "scan" / "0" / "new", true, inputs);
}

TEST_F(PublicationTest, NeverReplacesAPipeOrADevice) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(message_of([&] { spim::Publication(pipe, true); }), HasSubstr("neither a file nor a folder"));
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(PublicationTest, NamesTheFolderThatCannotBeWritten) {
  EXPECT_THAT(message_of([&] { spim::Publication("/proc/out", false); }),
              testing::AllOf(HasSubstr("/proc"), HasSubstr("cannot")));
  write(folder_ / "file", "x");
  EXPECT_THAT(message_of([&] { spim::Publication(folder_ / "file" / "out", false); }),
              testing::AllOf(HasSubstr("file"), HasSubstr("choose another output")));
  if (::geteuid() == 0) return;  // root may write anywhere
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_THAT(message_of([&] { spim::Publication(folder_ / "out", false); }),
              testing::AllOf(HasSubstr(folder_.string()), HasSubstr("make it writable")));
}

TEST_F(PublicationTest, LongNamesStillHaveATemporaryName) {
  const std::string name(250, 'n');
  spim::Publication output(folder_ / name, false);
  write(output.path(), "x");
  output.commit();
  EXPECT_TRUE(fs::exists(folder_ / name));
}

}  // namespace
