#pragma once
/// The parts of a page about an alignment, each a piece of HTML.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "spim/host/alignment_report.hpp"

namespace spim::detail {

/// How a link appears. Each grade has a colour and a style of line of its own, so that colours are not needed
/// to tell them apart. Colours: Okabe and Ito, Color Universal Design (2008).
enum class Grade { agrees, doubtful, contradicts, unused };

struct GradeLook {
  std::string_view name;   ///< class of its elements
  std::string_view words;  ///< in a legend
};
inline constexpr std::array<GradeLook, 4> kGrades{
    {{"agrees", "trusted, confirmed, agrees with the others"},
     {"doubtful", "trusted, but alone or off by more than 0.5 voxels"},
     {"contradicts", "rejected: contradicts the others"},
     {"unused", "not used: no content, or no consensus"}}};

Grade grade_of(const AlignedLink& link) noexcept;
const GradeLook& look_of(const AlignedLink& link) noexcept;

/// Largest along any axis.
double largest(Vec3 v) noexcept;

/// A tile as the page calls it: "#12", the same in maps and tables.
std::string tile_number(std::size_t tile);

/// Numbers at which an axis from `low` to `high` has its ticks, 1, 2 or 5 times a power of ten apart.
std::vector<double> ticks(double low, double high, int most);

/// Maps of the tiles seen from above, one per stage position in z.
std::string tile_maps(const AlignmentResult& result);
/// Shift of each pair against its stage position.
std::string offset_charts(const AlignmentResult& result);
/// How many samples have which correlation.
std::string correlation_histogram(const AlignmentResult& result);
/// Links to look at, all links, all tiles.
std::string link_tables(const AlignmentResult& result);
std::string tile_table(const AlignmentResult& result);
/// Before and after, side by side.
std::string overlap_figures(const AlignmentResult& result, const std::vector<ShownLink>& shown);

/// A page up to its heading: it allows no scripts and nothing from elsewhere.
std::string page_head(const std::string& title);

}  // namespace spim::detail
