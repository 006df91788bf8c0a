// A configuration is read strictly, layered by precedence and written so that it reads back the same.
#include "spim/host/config.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

using namespace spim;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

std::string fault(const std::string& json) {
  try {
    (void)parse_configuration(json, "c.json");
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

Configuration example() {
  Configuration c;
  c.version = "0.1.0";
  c.command = "dcimg2oblique";
  c.options = {
      {"voxel-size", "1.8"}, {"output-size", "64,64,64"}, {"silent", "false"}, {"input", "007"}, {"n", "12"}};
  c.selections.reader = {"dcimg", {{"restore", "true"}}};
  c.selections.writer = {"zarr", {{"level", "5"}, {"codec", "zstd"}, {"tiny", "1e-09"}, {"note", ""}}};
  return c;
}

void expect_equal(const Configuration& a, const Configuration& b) {
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.command, b.command);
  EXPECT_EQ(a.options, b.options);
  for (const Kind kind : kAllKinds) {
    EXPECT_EQ(a.selections.of(kind).id, b.selections.of(kind).id) << kind_word(kind);
    EXPECT_EQ(a.selections.of(kind).options, b.selections.of(kind).options) << kind_word(kind);
  }
}

}  // namespace

TEST(Configuration, reads_back_what_it_wrote) {
  const std::string text = configuration_text(example());
  expect_equal(parse_configuration(text, "c.json"), example());
  EXPECT_EQ(configuration_text(parse_configuration(text, "c.json")), text);
  EXPECT_THAT(text, AllOf(HasSubstr("\"level\": 5"), HasSubstr("\"input\": \"007\""),
                          HasSubstr("\"silent\": false")));
}

TEST(Configuration, takes_numbers_booleans_and_arrays_as_text) {
  const Configuration c = parse_configuration(
      R"({"options": {"a": 1, "b": 2.50, "c": true, "d": [64, 64.5, "x"], "e": "t", "f": 18446744073709551615}})",
      "c");
  EXPECT_EQ(c.options, (OptionTexts{{"a", "1"},
                                    {"b", "2.5"},
                                    {"c", "true"},
                                    {"d", "64,64.5,x"},
                                    {"e", "t"},
                                    {"f", "18446744073709551615"}}));
}

TEST(Configuration, says_where_it_is_not_json) {
  EXPECT_THAT(fault("{\n  \"command\": }\n"), StartsWith("c.json is not JSON: line 2, column 14: "));
  EXPECT_THAT(fault(""), StartsWith("c.json is not JSON: line 1, column 1: "));
  EXPECT_THAT(fault("{\"a\xff\": 1}"), StartsWith("c.json is not JSON: line 1"));
  EXPECT_THAT(fault(R"({"options": {"a": 1, "a": 2}})"), "c.json has the key 'a' twice");
  EXPECT_THAT(fault(R"({"options": {"a": 1e400}})"), "c.json holds a number that is too large");
  EXPECT_THAT(fault(std::string(100000, '[')), StartsWith("c.json is not JSON: "));
}

TEST(Configuration, names_the_place_and_the_nearest_known_key) {
  EXPECT_THAT(fault("[1]"), "c.json is of type array; it must be an object");
  EXPECT_THAT(fault(R"({"writr": {}})"),
              AllOf(HasSubstr("c.json has the unknown key 'writr'; the nearest is 'writer'"),
                    HasSubstr("options of the command belong into \"options\"")));
  EXPECT_THAT(
      fault(R"({"writer": {"ID": "zarr"}})"),
      HasSubstr("c.json: /writer has the unknown key 'ID'; the nearest is 'id' (known: id, options)"));
  EXPECT_THAT(fault(R"({"writer": "zarr"})"), "c.json: /writer is of type string; it must be an object");
  EXPECT_THAT(fault(R"({"writer": {"id": 3}})"), "c.json: /writer/id is of type number; it must be a text");
  EXPECT_THAT(fault(R"({"writer": {"options": {"level": null}}})"),
              HasSubstr("/writer/options/level is of type null"));
  EXPECT_THAT(fault(R"({"options": {"size": [[1], 2]}})"),
              HasSubstr("/options/size is an array that holds more"));
  EXPECT_THAT(fault(R"({"options": 5})"), HasSubstr("/options is of type number"));
}

TEST(Configuration, is_saved_whole_beside_the_output) {
  EXPECT_EQ(configuration_path("/data/out.zarr"), "/data/out.zarr.config.json");
  EXPECT_EQ(configuration_path("/data/out//"), "/data/out.config.json");
  std::string folder = (std::filesystem::temp_directory_path() / "spim-config-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::filesystem::path file = configuration_path(std::filesystem::path(folder) / "out");
  save_configuration({}, file);
  save_configuration(example(), file);
  expect_equal(load_configuration(file), example());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1) << "a temporary file was left";
  EXPECT_THROW(save_configuration(example(), std::filesystem::path(folder) / "missing/out.config.json"),
               Error);
  EXPECT_THROW((void)load_configuration(folder), Error);
  EXPECT_THROW((void)load_configuration(file.string() + "x"), Error);
  std::filesystem::remove_all(folder);
}

TEST(Selections, are_set_from_the_command_line) {
  Selections s;
  set_option(s, "writer.level=5");
  set_option(s, "writer.note=a=b.c");
  set_option(s, "volume-reader.x=");
  EXPECT_EQ(s.writer.options, (OptionTexts{{"level", "5"}, {"note", "a=b.c"}}));
  EXPECT_EQ(s.volume_reader.options, (OptionTexts{{"x", ""}}));
  for (const char* bad : {"writer", "writer.level", "level=5", "writer.=5", "a=b.c", ""})
    EXPECT_THROW(set_option(s, bad), UsageError) << bad;
  try {
    set_option(s, "wirter.level=5");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_THAT(
        e.what(),
        HasSubstr("the nearest is 'writer' (known: reader, volume-reader, writer, destripe, aligner)"));
  }
}

TEST(Selections, of_the_command_line_come_before_those_of_the_file) {
  Selections file, line;
  file.writer = {"zarr", {{"level", "5"}, {"codec", "lz4"}}};
  file.reader = {"dcimg", {{"restore", "false"}}};
  file.aligner = {"", {{"radius", "3"}}};
  line.writer = {"", {{"level", "9"}}};
  line.reader = {"raw", {}};
  line.aligner = {"phase", {}};
  const Selections both = overlay(file, line);
  EXPECT_EQ(both.writer.id, "zarr");
  EXPECT_EQ(both.writer.options, (OptionTexts{{"level", "9"}, {"codec", "lz4"}}));
  EXPECT_EQ(both.reader.id, "raw");
  EXPECT_TRUE(both.reader.options.empty()) << "they belong to another reader";
  EXPECT_EQ(both.aligner.options, (OptionTexts{{"radius", "3"}}));
}

TEST(Selections, without_an_implementation_cannot_have_options) {
  const Registry nothing(SearchPath{});
  Selections s;
  s.destripe.options["sigma"] = "3";
  EXPECT_THROW((void)complete(s, nothing), UsageError);
  s = {};
  s.reader.options["frames"] = "3";  // for the reader that probing finds
  EXPECT_EQ(complete(s, nothing).reader.options.size(), 1U);
  s.writer.id = "zarr";
  EXPECT_THROW((void)complete(s, nothing), UsageError);
}
