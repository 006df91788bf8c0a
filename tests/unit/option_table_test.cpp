// Options are checked, completed and explained from one table.
#include "spim/host/option_table.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "spim/host/nearest.hpp"

using namespace spim;
using testing::HasSubstr;

namespace {

constexpr OptionSpec kTable[] = {
    integer_option("level", "5", 0, 9, "compression level"),
    number_option("factor", "1.5", -kNoLimit, 100, "gain"),
    boolean_option("fast", "no", "skip the check"),
    text_option("name", "", "name for people"),
    choice_option("codec", "zstd", "zstd|lz4|none", "compression"),
    integer_option("offset", "0", -kNoLimit, kNoLimit, "first byte"),
};

CompletedOptions complete(const OptionTexts& given) {
  return complete_options(kTable, given, "writer test");
}

std::string fault(const OptionTexts& given) {
  try {
    (void)complete(given);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST(OptionTable, completes_defaults_with_typed_values) {
  const CompletedOptions completed = complete({});
  const Options options = completed.view();
  EXPECT_EQ(options.count, 6U);
  EXPECT_EQ(options.integer("level"), 5);
  EXPECT_EQ(options.number("factor"), 1.5);
  EXPECT_FALSE(options.boolean("fast"));
  EXPECT_EQ(options.text("name"), "");
  EXPECT_EQ(options.text("codec"), "zstd");
  EXPECT_THROW((void)options.text("level"), Error) << "asked with another type";
}

TEST(OptionTable, takes_given_values_in_canonical_text) {
  const CompletedOptions completed =
      complete({{"level", "+7"}, {"fast", "on"}, {"factor", "1e1"}, {"name", "a b"}});
  EXPECT_EQ(completed.texts(), (OptionTexts{{"level", "7"},
                                            {"fast", "true"},
                                            {"factor", "10"},
                                            {"name", "a b"},
                                            {"codec", "zstd"},
                                            {"offset", "0"}}));
}

TEST(OptionTable, values_stay_valid_when_moved) {
  CompletedOptions first = complete({{"name", "x"}});
  const CompletedOptions second = std::move(first);
  EXPECT_EQ(second.view().text("name"), "x");
}

TEST(OptionTable, keeps_all_64_bits_of_an_integer) {
  EXPECT_EQ(complete({{"offset", "9223372036854775807"}}).view().integer("offset"), 9223372036854775807LL);
  EXPECT_EQ(complete({{"offset", "-9223372036854775808"}}).view().integer("offset"),
            -9223372036854775807LL - 1);
  EXPECT_THAT(fault({{"offset", "9223372036854775808"}}), HasSubstr("must be an integer"));
}

TEST(OptionTable, refuses_values_naming_option_owner_value_and_limits) {
  EXPECT_EQ(fault({{"level", "10"}}),
            "option level of writer test is '10'; it must be an integer from 0 to 9");
  for (const char* bad : {"", "-1", "5.0", "5x", " 5", "0x5", "1e1", "+-5"})
    EXPECT_THAT(fault({{"level", bad}}), HasSubstr("it must be an integer from 0 to 9")) << bad;
  for (const char* bad : {"", "nan", "inf", "100.1", "1,5", "1.5.2"})
    EXPECT_THAT(fault({{"factor", bad}}), HasSubstr("it must be a number of at most 100")) << bad;
  EXPECT_THAT(fault({{"fast", "maybe"}}), HasSubstr("'maybe'; it must be true or false"));
  EXPECT_EQ(fault({{"codec", "zst"}}),
            "option codec of writer test is 'zst'; it must be one of zstd, lz4, none, the nearest is 'zstd'");
  EXPECT_THAT(fault({{"name", std::string("a\0b", 3)}}), HasSubstr("it must be a text"));
}

TEST(OptionTable, names_the_nearest_of_an_unknown_option) {
  EXPECT_EQ(
      fault({{"levle", "5"}}),
      "writer test has no option 'levle'; the nearest is 'level' (known: level, factor, fast, name, codec, "
      "offset)");
  try {
    (void)complete_options({}, {{"a", "1"}}, "reader plain");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_STREQ(e.what(), "reader plain has no option 'a'; none is known");
  }
}

TEST(OptionTable, finds_faults_of_the_table_itself) {
  EXPECT_EQ(option_table_fault(kTable), "");
  EXPECT_EQ(option_table_fault({}), "");
  const auto one = [](const OptionSpec& row) { return option_table_fault({&row, 1}); };
  EXPECT_THAT(one({"x", OptionType::text, nullptr, "help", "", 0, 1}), HasSubstr("null text"));
  EXPECT_THAT(one({nullptr, OptionType::text, "", "help", "", 0, 1}), HasSubstr("option 0 has the name ''"));
  EXPECT_THAT(one(text_option("--x", "", "help")), HasSubstr("'--x'"));
  EXPECT_THAT(one(choice_option("x", "c", "a|b", "help")),
              HasSubstr("default 'c', which is not one of a, b"));
  EXPECT_THAT(one(choice_option("x", "a", "a||b", "help")), HasSubstr("empty choice"));
  EXPECT_THAT(one(choice_option("x", "a", "a|a", "help")), HasSubstr("same choice twice"));
  EXPECT_THAT(one({"x", OptionType::integer, "1", "help", "1|2", 0, 9}), HasSubstr("not of type text"));
  EXPECT_THAT(one({"x", static_cast<OptionType>(8), "1", "help", "", 0, 9}), HasSubstr("unknown type 8"));
  EXPECT_THAT(one(number_option("x", "1", __builtin_nan(""), 2, "help")), HasSubstr("has the limits"));
}

TEST(OptionTable, explains_itself) {
  EXPECT_EQ(option_help({kTable, 1}, "  "),
            "  level: compression level\n      an integer from 0 to 9; default 5\n");
  EXPECT_THAT(option_help(kTable, ""), HasSubstr("name: name for people\n    a text; empty by default\n"));
}

TEST(OptionTable, gives_a_json_schema) {
  const auto schema = nlohmann::json::parse(option_schema(kTable, "writer test"));
  EXPECT_EQ(schema["title"], "writer test");
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["properties"].size(), 6U);
  EXPECT_EQ(
      schema["properties"]["level"],
      nlohmann::json::parse(
          R"({"type":"integer","default":5,"minimum":0,"maximum":9,"description":"compression level"})"));
  EXPECT_EQ(schema["properties"]["codec"]["enum"], (std::vector<std::string>{"zstd", "lz4", "none"}));
  EXPECT_EQ(schema["properties"]["fast"]["default"], false);
}

TEST(NearestWord, counts_edits_and_swaps) {
  EXPECT_EQ(nearest_word("wirter", {"reader", "writer"}), "writer");
  EXPECT_EQ(nearest_word("ab", {"ba", "abcd"}), "ba");
  EXPECT_EQ(nearest_word("", {"long", "a"}), "a");
  EXPECT_EQ(nearest_word("x", {}), "");
  EXPECT_EQ(nearest_word(std::string(100000, 'x'), {"a", std::string(100000, 'x')}),
            std::string(100000, 'x'));
}
