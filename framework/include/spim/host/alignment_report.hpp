#pragma once
/// An alignment as a page to look at: one HTML file without scripts that needs nothing from elsewhere, and
/// that prints well.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "spim/host/alignment.hpp"
#include "spim/host/config.hpp"

namespace spim {

/// A plane through an overlap, one tile in magenta, the other in green.
struct OverlapPicture {
  std::string caption;  ///< which plane it is
  std::string before;   ///< PNG file: tiles where the stage says
  std::string after;    ///< PNG file: tiles where the solution puts them
  double width_um = 1;  ///< only the ratio of width and height counts
  double height_um = 1;
  double correlation_before = 0;  ///< Pearson, of the two tiles in this plane
  double correlation_after = 0;
};

/// A link whose overlap is shown.
struct ShownLink {
  std::size_t link = 0;  ///< index in AlignmentResult::links
  std::string role;      ///< "worst", "median", "best"
  std::vector<OverlapPicture> pictures;
};

/// What a page shows beside the result.
struct ReportContent {
  std::string title;             ///< of the acquisition
  Configuration made_by;         ///< the completed options of the program
  std::vector<ShownLink> shown;  ///< at most a few: each brings pictures of some 100 kB
};

/// The worst, a median and the best of the links that have samples, without pictures; fewer when there are
/// fewer. Links that contradict the others are worse than those whose residual is large, or whose correlation
/// is low.
std::vector<ShownLink> links_to_show(const AlignmentResult& result);

/// The page, UTF-8. Its size is about 1 kB per tile and link beside the pictures.
std::string alignment_report(const AlignmentResult& result, const ReportContent& content);

/// Writes alignment_report() under a temporary name, makes it durable and renames it. Throws Error.
void save_alignment_report(const AlignmentResult& result, const ReportContent& content,
                           const std::filesystem::path& file);

}  // namespace spim
