// The page about an alignment: complete, safe whatever tiles are called, and small enough for a thousand
// tiles.
#include "spim/host/alignment_report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "support/temporary_folder.hpp"
#include "support/tile_grid.hpp"

namespace spim {
namespace {

using test::TileGrid;

AlignmentResult solved(const TileGrid& grid) {
  AlignmentResult result = grid.links();
  solve_positions(result, {.align_xz = true});
  return result;
}

std::string page(const AlignmentResult& result, std::vector<ShownLink> shown = {}) {
  return alignment_report(result,
                          {"scan", {"1.2.3", "oblique-align", {{"seed", "7"}}, {}}, std::move(shown)});
}

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(AlignmentReport, SaysTheVerdictAndItsFigures) {
  const std::string text = page(solved(TileGrid({3, 3, 1}, 8)));
  EXPECT_TRUE(has(text, "Good: use it"));
  EXPECT_TRUE(has(text, "12 of 12 overlaps are trusted and 9 of 9 tiles are linked"));
  EXPECT_TRUE(has(text, "spimstitch 1.2.3"));
  EXPECT_TRUE(has(text, "--seed"));
}

TEST(AlignmentReport, DrawsEveryTileAndEveryLink) {
  const std::string text = page(solved(TileGrid({4, 3, 1}, 8)));
  EXPECT_EQ(times(text, "<rect class=\"tile\""), 12U);
  EXPECT_EQ(times(text, "<path class=\"link agrees\" d=\"M"), 17U + 1);  // one in the legend
}

TEST(AlignmentReport, TellsTheGradesOfLinksApart) {
  TileGrid grid({4, 4, 1}, 8);
  AlignmentResult result = grid.links();
  result.links[3].shift_voxels.x += 30;
  result.links[9].measured = false;
  result.links[9].samples.clear();
  result.links[9].agrees.clear();
  solve_positions(result, {.align_xz = true});
  ASSERT_FALSE(result.links[3].trusted);
  const std::string text = page(result);
  EXPECT_EQ(times(text, "<path class=\"link contradicts\""), 2U);
  EXPECT_EQ(times(text, "<path class=\"link unused\""), 2U);
  EXPECT_TRUE(has(text, "Look at these links"));
  EXPECT_TRUE(has(text, "it contradicts the others by"));
  EXPECT_TRUE(has(text, "no content that could be matched"));
}

TEST(AlignmentReport, ShowsTilesThatStayAtTheStage) {
  const TileGrid grid({3, 3, 1}, 8);
  AlignmentResult result = grid.links();
  for (AlignedLink& link : result.links)
    if (link.fixed == 4 || link.moving == 4) link.measured = false;
  solve_positions(result, {.align_xz = true});
  const std::string text = page(result);
  EXPECT_EQ(times(text, "stays at the stage</text>"), 1U);
  EXPECT_TRUE(has(text, "has no trusted link and is left where the stage says"));
}

TEST(AlignmentReport, SaysDoNotUseWhenNothingIsTrusted) {
  AlignmentResult result = TileGrid({2, 2, 1}, 8).links();
  for (AlignedLink& link : result.links) link.measured = false;
  solve_positions(result, {.align_xz = true});
  const std::string text = page(result);
  EXPECT_TRUE(has(text, "Do not use"));
  EXPECT_TRUE(has(text, "No overlap was measured"));
}

TEST(AlignmentReport, OneTileHasNothingToAlign) {
  const AlignmentResult result = solved(TileGrid({1, 1, 1}, 8));
  const std::string text = page(result);
  EXPECT_TRUE(has(text, "Nothing to align"));
  EXPECT_FALSE(has(text, "Links to look at"));
  EXPECT_TRUE(links_to_show(result).empty());
}

TEST(AlignmentReport, TwoTilesHaveOneLinkToShow) {
  const AlignmentResult result = solved(TileGrid({2, 1, 1}, 8));
  ASSERT_EQ(links_to_show(result).size(), 1U);
  EXPECT_EQ(times(page(result), "<rect class=\"tile"), 2U + 2);  // two in the legend
}

TEST(AlignmentReport, EscapesWhateverTilesAreCalled) {
  AlignmentResult result = TileGrid({2, 1, 1}, 8).links();
  result.tiles[0].name = "<script>alert(\"1\")</script> & 'x' \xff\xc0\xaf \xed\xa0\x80 é\x01";
  result.links[0].measured = false;
  result.links[0].rejection = "<b>no</b>";
  solve_positions(result, {.align_xz = true});
  result.findings.push_back(result.tiles[0].name);
  const std::string text =
      alignment_report(result, {result.tiles[0].name, {"1", "c", {{"input", result.tiles[0].name}}, {}}, {}});
  EXPECT_FALSE(has(text, "<script"));
  EXPECT_FALSE(has(text, "<b>no"));
  EXPECT_TRUE(has(text, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39; "));
  EXPECT_TRUE(has(text, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD é "));
  for (const char c : {'\xff', '\x01'}) EXPECT_EQ(text.find(c), std::string::npos);
}

TEST(AlignmentReport, EmbedsPicturesAndNeedsNothingFromElsewhere) {
  const AlignmentResult result = solved(TileGrid({2, 2, 1}, 8));
  std::vector<ShownLink> shown = links_to_show(result);
  ASSERT_EQ(shown.size(), 3U);
  shown[0].pictures.push_back({"plane", "abc", "abcd", 2, 1, 0.25, 0.75});
  const std::string text = page(result, shown);
  EXPECT_TRUE(has(text, "data:image/png;base64,YWJj\""));
  EXPECT_TRUE(has(text, "data:image/png;base64,YWJjZA==\""));
  EXPECT_TRUE(has(text, "before: 0.25") && has(text, "after: 0.75"));
  EXPECT_FALSE(has(text, "http:") || has(text, "https:") || has(text, "src=\"/"));
}

TEST(AlignmentReport, WorstLinksAreThoseThatContradict) {
  const TileGrid grid({4, 4, 1}, 8);
  AlignmentResult result = grid.links();
  result.links[5].shift_voxels.y -= 25;
  result.links[7].correlation = 1;
  solve_positions(result, {.align_xz = true});
  const std::vector<ShownLink> shown = links_to_show(result);
  ASSERT_EQ(shown.size(), 3U);
  EXPECT_EQ(shown.front().link, 5U);
  EXPECT_EQ(shown.front().role, "Worst");
  EXPECT_EQ(shown.back().link, 7U);
}

TEST(AlignmentReport, AThousandTilesStayReadableAndSmall) {
  TileGrid grid({20, 10, 5}, 8);
  AlignmentResult result = solved(grid);
  for (AlignedLink& link : result.links) link.samples.assign(20, link.samples.front());
  for (AlignedLink& link : result.links) link.agrees.assign(20, 1);
  std::vector<ShownLink> shown = links_to_show(result);
  for (ShownLink& one : shown)
    one.pictures.assign(2, {"plane", std::string(150'000, 'x'), std::string(150'000, 'x'), 1, 1, 0, 0});
  const std::string text = page(result, shown);
  EXPECT_LT(text.size(), 6'000'000U);
  EXPECT_TRUE(has(text, "<details><summary>1000 tiles"));
  EXPECT_TRUE(has(text, "<details><summary>2 more positions in z"));
}

TEST(AlignmentReport, IsWrittenAsAWhole) {
  const test::TemporaryFolder folder;
  const AlignmentResult result = solved(TileGrid({2, 2, 1}, 8));
  const ReportContent content{"scan", {"1", "oblique-align", {}, {}}, {}};
  save_alignment_report(result, content, folder.path() / "a.html");
  std::ifstream file(folder.path() / "a.html", std::ios::binary);
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>(file), {}}), alignment_report(result, content));
}

}  // namespace
}  // namespace spim
