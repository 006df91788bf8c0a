// Each plugin that cannot be used is refused with one sentence; the others are found and loaded.
#include "spim/host/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>

#include "loader/loader_support.hpp"
#include "spim/host/search_path.hpp"

using namespace spim;
using namespace loader;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

/// The only refusal of a registry that looks at `file` alone.
std::string refusal_of(const fs::path& file) {
  SearchPath path;
  path.files = {file};
  const Registry registry(path);
  EXPECT_EQ(registry.plugins().size(), 1U);
  EXPECT_EQ(registry.plugins().front()->manifest, nullptr);
  EXPECT_TRUE(registry.items(Kind::destriper).empty());
  return registry.plugins().front()->refusal;
}

std::vector<std::string> ids(const Registry& registry, Kind kind) {
  std::vector<std::string> result;
  for (const Item& item : registry.items(kind)) result.emplace_back(item.spec->id);
  return result;
}

/// The good plugin with its manifest changed in the file.
template <class Change>
fs::path patched(const TemporaryFolder& folder, Change change) {
  std::string bytes = read_file(plugin_file("tester"));
  const auto at =
      std::search(bytes.begin(), bytes.end(), kManifestMagic, kManifestMagic + sizeof kManifestMagic);
  EXPECT_NE(at, bytes.end());
  ManifestHeader header;
  std::memcpy(&header, &*at, sizeof header);
  change(header);
  std::memcpy(&*at, &header, sizeof header);
  write_file(folder / "patched.so", bytes);
  return folder / "patched.so";
}

}  // namespace

TEST(Registry, loads_a_plugin_and_lists_its_items_by_kind) {
  SearchPath path;
  path.folders = {plugin_file("tester").parent_path()};
  const Registry registry(path);
  ASSERT_EQ(registry.plugins().size(), 1U);
  const PluginRecord& plugin = *registry.plugins().front();
  EXPECT_EQ(plugin.refusal, "");
  EXPECT_EQ(plugin.name, "tester");
  EXPECT_EQ(plugin.version, "1.2.3");
  EXPECT_EQ(plugin.vendor, "tests");
  EXPECT_EQ(plugin.abi, kAbi);
  EXPECT_THAT(ids(registry, Kind::frame_reader), ElementsAre("exclusive", "reentrant", "singleton"));
  EXPECT_EQ(registry.find(Kind::volume_writer, "counter").plugin, &plugin);
}

TEST(Registry, names_known_items_the_nearest_and_refusals_when_an_item_is_missing) {
  SearchPath path;
  path.files = {plugin_file("tester"), plugin_file("no-manifest")};
  const Registry registry(path);
  try {
    (void)registry.find(Kind::frame_reader, "exclusiv");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_THAT(e.what(),
                AllOf(StartsWith("there is no reader 'exclusiv'; the nearest is 'exclusive' (known: "
                                 "exclusive, reentrant, singleton)"),
                      HasSubstr("refused: "), HasSubstr("no-manifest.so")));
  }
}

TEST(Registry, refuses_an_older_interface_and_asks_to_rebuild_the_plugin) {
  const TemporaryFolder folder;
  const auto file = patched(folder, [](ManifestHeader& h) { h.abi = kAbi - 1; });
  EXPECT_THAT(refusal_of(file), AllOf(StartsWith(file.string()), HasSubstr("interface 0"), HasSubstr("has 1"),
                                      HasSubstr("rebuild the plugin")));
}

TEST(Registry, refuses_a_newer_interface_and_asks_to_update_the_program) {
  const TemporaryFolder folder;
  const auto file = patched(folder, [](ManifestHeader& h) { h.abi = kAbi + 6; });
  EXPECT_THAT(refusal_of(file),
              AllOf(HasSubstr("interface 7"), HasSubstr("has 1"), EndsWith("update spimstitch")));
}

TEST(Registry, refuses_another_toolchain_naming_both) {
  const TemporaryFolder folder;
  const auto file =
      patched(folder, [](ManifestHeader& h) { std::strcpy(h.toolchain, "x86_64-linux libc++"); });
  EXPECT_THAT(refusal_of(file), AllOf(HasSubstr("'x86_64-linux libc++'"), HasSubstr(SPIM_TOOLCHAIN)));
}

TEST(Registry, refuses_a_manifest_of_another_size_name_or_magic) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal_of(patched(folder, [](ManifestHeader& h) { h.size = 12; })), HasSubstr("12 bytes"));
  EXPECT_THAT(refusal_of(patched(folder, [](ManifestHeader& h) { std::strcpy(h.name, "No\033[2J"); })),
              AllOf(HasSubstr("calls itself 'No [2J'"), Not(HasSubstr("\033"))));
  EXPECT_THAT(refusal_of(patched(folder, [](ManifestHeader& h) { h.magic[0] = 'S'; })),
              HasSubstr("does not begin with 'spimstitch/plug'"));
  EXPECT_THAT(refusal_of(patched(folder, [](ManifestHeader& h) { h.version[0] = '\0'; })),
              HasSubstr("no version"));
}

TEST(Registry, refuses_what_is_no_plugin) {
  const TemporaryFolder folder;
  write_file(folder / "text.so", "this is a text file\n");
  EXPECT_THAT(refusal_of(folder / "text.so"), HasSubstr("is not a shared library; remove it"));
  write_file(folder / "empty.so", "");
  EXPECT_THAT(refusal_of(folder / "empty.so"), HasSubstr("is not a shared library; remove it"));
  EXPECT_THAT(refusal_of(plugin_file("no-manifest")),
              AllOf(HasSubstr("no section spim_manifest"), HasSubstr("SPIM_EXPORT_PLUGIN")));
  EXPECT_THAT(refusal_of(plugin_file("hidden-symbol")), HasSubstr("does not export spim_plugin_manifest"));
  EXPECT_THAT(refusal_of(folder / "missing.so"), HasSubstr("No such file"));
}

TEST(Registry, does_not_wait_for_a_pipe_or_read_a_folder_called_so) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe.so").c_str(), 0600), 0);
  fs::create_directory(folder / "folder.so");
  EXPECT_THAT(refusal_of(folder / "pipe.so"), HasSubstr("is not a regular file"));
  EXPECT_THAT(refusal_of(folder / "folder.so"), HasSubstr("is not a regular file"));
}

TEST(Registry, says_what_the_system_says_when_loading_fails) {
  EXPECT_THAT(refusal_of(plugin_file("undefined-symbol")),
              AllOf(HasSubstr("cannot be loaded: undefined symbol: function_that_nobody_defines"),
                    Not(HasSubstr("Bad file descriptor"))));
}

TEST(Registry, refuses_tables_with_a_fault) {
  const std::pair<const char*, const char*> cases[] = {
      {"duplicate-id", "two items destripe first"},
      {"bad-id", "the id 'Not A Word'"},
      {"bad-default", "option size has the default '70', which is not an integer from 1 to 64"},
      {"no-help", "option size has no help"},
      {"null-create", "destripe faulty: has no create function"},
      {"unknown-kind", "item 1 has the unknown kind 77"},
      {"no-probe", "reader faulty: is a reader without a probe function"},
      {"no-items", "it has no items"},
      {"bad-concurrency", "unknown concurrency 9"},
      {"bad-limits", "option size has the limits 64 to 1"},
      {"duplicate-option", "two options called 'size'"},
      {"no-summary", "has no summary"},
  };
  for (const auto& [name, fault] : cases)
    EXPECT_THAT(refusal_of(plugin_file(std::string("table-") + name)),
                AllOf(HasSubstr("bad-table 1.0"), HasSubstr(fault), EndsWith("; correct the plugin")))
        << name;
}

TEST(Registry, takes_the_first_of_two_plugins_of_one_name) {
  const TemporaryFolder first, second;
  fs::copy_file(plugin_file("tester"), first / "tester.so");
  fs::copy_file(plugin_file("tester"), second / "tester.so");
  SearchPath path;
  path.folders = {first.path(), second.path()};
  const Registry registry(path);
  ASSERT_EQ(registry.plugins().size(), 2U);
  EXPECT_NE(registry.plugins()[0]->manifest, nullptr);
  EXPECT_THAT(registry.plugins()[1]->refusal,
              AllOf(StartsWith((second / "tester.so").string()), HasSubstr((first / "tester.so").string()),
                    HasSubstr("remove one")));
}

TEST(Registry, takes_the_first_of_two_items_of_one_id) {
  const TemporaryFolder folder;
  fs::copy_file(plugin_file("tester"), folder / "a.so");
  const auto other = patched(folder, [](ManifestHeader& h) { std::strcpy(h.name, "other"); });
  SearchPath path;
  path.files = {folder / "a.so", other};
  const Registry registry(path);
  EXPECT_THAT(registry.plugins()[1]->refusal, HasSubstr("its reader exclusive exists already in"));
}

TEST(Registry, refuses_files_and_folders_that_everybody_may_change) {
  const TemporaryFolder folder;
  fs::copy_file(plugin_file("tester"), folder / "tester.so");
  ASSERT_EQ(::chmod((folder / "tester.so").c_str(), 0757), 0);
  EXPECT_THAT(refusal_of(folder / "tester.so"), AllOf(HasSubstr("mode 0757"), HasSubstr("chmod o-w")));

  ASSERT_EQ(::chmod((folder / "tester.so").c_str(), 0755), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  SearchPath path;
  path.folders = {folder.path()};
  const Registry registry(path);
  ASSERT_EQ(registry.plugins().size(), 1U);
  EXPECT_THAT(registry.plugins().front()->refusal,
              AllOf(StartsWith(folder.path().string()), HasSubstr("mode 0777")));
  EXPECT_TRUE(registry.items(Kind::frame_reader).empty());
}

TEST(Registry, never_searches_a_relative_folder) {
  SearchPath path;
  path.folders = {"."};
  const Registry registry(path);
  EXPECT_THAT(registry.plugins().front()->refusal, HasSubstr("it is relative"));
}

TEST(Registry, refuses_every_truncation_of_a_plugin_without_loading_it) {
  const TemporaryFolder folder;
  const std::string whole = read_file(plugin_file("tester"));
  for (std::size_t size = 0; size < whole.size(); size += size < 256 ? 1 : whole.size() / 40) {
    write_file(folder / "cut.so", whole.substr(0, size));
    const std::string refusal = refusal_of(folder / "cut.so");
    EXPECT_THAT(refusal, StartsWith((folder / "cut.so").string())) << size;
  }
}

TEST(SearchPath, orders_given_folders_environment_and_installation) {
  const TemporaryFolder root;
  const std::string abi = "spimstitch/abi-" + std::to_string(kAbi);
  for (const std::string& name :
       {std::string("given"), std::string("environment"), "prefix/lib/" + abi, "prefix/lib64/" + abi,
        "prefix/lib/x86_64-linux-gnu/" + abi, std::string("prefix/share/") + abi, std::string("prefix/bin")})
    fs::create_directories(root / name);
  write_file(root / "prefix/bin/spimstitch", "");
  const std::string environment = "::" + (root / "environment").string() + ":relative:";
  const SearchPath path = search_path({{root / "given"}, environment, root / "prefix/bin/spimstitch"});
  EXPECT_THAT(
      path.folders,
      ElementsAre(root / "given", root / "environment", fs::path("relative"), root / ("prefix/lib/" + abi),
                  root / ("prefix/lib/x86_64-linux-gnu/" + abi), root / ("prefix/lib64/" + abi)));
}

TEST(SearchPath, refuses_a_given_folder_that_does_not_exist) {
  EXPECT_THROW((void)search_path({{"/nonexistent/folder"}, "", {}}), UsageError);
}
