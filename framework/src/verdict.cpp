#include "verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace spim::detail {

namespace {

/// Beyond this, seams show.
constexpr double kGoodVoxels = 0.5;
/// Residuals of trusted links beyond this on average mean that the tiles are not rigid or the links are
/// wrong.
constexpr double kBadVoxels = 2;
/// Shares of the measured links and of the tiles at which the rest does not prove anything any more.
constexpr double kMostContradictions = 0.3;
constexpr double kLeastLinked = 0.5;
/// Tiles of which half may be lost: what is usual cannot be told.
constexpr std::size_t kFew = 5;

double largest(Vec3 v) noexcept {
  return std::max({std::abs(v.x), std::abs(v.y), std::abs(v.z)});
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class Judge {
 public:
  Judge(AlignmentResult& result, const SolveSettings& settings) : result_(result), settings_(settings) {
    result_.findings.clear();
    result_.verdict = Verdict::good;
    const double n = static_cast<double>(result_.tiles.size());
    for (AlignedTile& tile : result_.tiles) {
      tile.remark.clear();
      middle_ = middle_ + Vec3{tile.nominal_um.x / n, tile.nominal_um.y / n, tile.nominal_um.z / n};
    }
  }

  void run() {
    if (result_.tiles.size() < 2)
      return say(Verdict::good, "there is one tile, which is where the stage says");
    if (result_.links.empty())
      return say(Verdict::do_not_use, "no tiles overlap; all of them are left where the stage says");
    look_at_links();
    look_at_tiles();
    look_at_residuals();
    if (!settings_.align_xz) look_at_other_axes();
  }

 private:
  void say(Verdict verdict, std::string finding) {
    result_.verdict = std::max(result_.verdict, verdict);
    result_.findings.push_back(std::move(finding));
  }

  std::string names(const AlignedLink& link) const {
    return fmt::format("{} and {}", result_.tiles[link.fixed].name, result_.tiles[link.moving].name);
  }

  void look_at_links() {
    std::size_t trusted = 0, measured = 0, empty = 0;
    for (const AlignedLink& link : result_.links) {
      trusted += link.trusted;
      measured += link.measured;
      empty += link.samples.empty();
    }
    if (trusted == 0)
      say(Verdict::do_not_use,
          empty == result_.links.size()
              ? "no overlap has content that could be matched; all tiles are left where the stage says"
              : "no overlap gives a shift that can be trusted; all tiles are left where the stage says");
    const auto contradictions = static_cast<double>(measured - trusted);
    if (contradictions > kMostContradictions * static_cast<double>(measured))
      say(Verdict::do_not_use, fmt::format("{} of {} measured links contradict others or the stage",
                                           measured - trusted, measured));
    std::size_t silent = 0;
    for (const AlignedLink& link : result_.links) {
      silent += link.samples.empty() && result_.tiles[link.fixed].linked && result_.tiles[link.moving].linked;
      if (link.measured && !link.trusted)
        say(Verdict::look, fmt::format("link between {}: {}", names(link), link.rejection));
      else if (link.trusted && !link.confirmed)
        say(Verdict::look, fmt::format("link between {}: nothing else confirms it", names(link)));
      else if (!link.measured && !link.samples.empty() && trusted > 0)
        say(Verdict::good, fmt::format("link between {} is not used: {}", names(link), link.rejection));
    }
    if (silent > 0)
      say(Verdict::good,
          fmt::format("{} of {} overlaps hold nothing that could be matched; other links join their tiles",
                      silent, result_.links.size()));
  }

  /// Farther from the stage than tiles usually are, or than it is said to be off when they are too few to
  /// tell what is usual.
  double far() const {
    std::vector<double> shifts;
    for (const AlignedTile& tile : result_.tiles)
      if (tile.linked) shifts.push_back(largest(unexplained(tile)));
    const double least = 2 * settings_.stage_voxels;
    return shifts.size() < kFew ? least : std::max(least, 5 * median_of(std::move(shifts)));
  }

  void look_at_tiles() {
    std::size_t linked = 0;
    const double limit = far();
    for (AlignedTile& tile : result_.tiles) {
      linked += tile.linked;
      if (!tile.linked)
        tile.remark = "has no trusted link and is left where the stage says";
      else if (!tile.certain)
        tile.remark = uncertain_remark(tile);
      if (tile.linked && largest(unexplained(tile)) > limit)
        tile.remark += (tile.remark.empty() ? "" : ", and ") + far_remark(unexplained(tile));
      if (!tile.remark.empty()) say(Verdict::look, fmt::format("tile {} {}", tile.name, tile.remark));
    }
    if (static_cast<double>(linked) < kLeastLinked * static_cast<double>(result_.tiles.size()))
      say(Verdict::do_not_use, fmt::format("only {} of {} tiles are linked", linked, result_.tiles.size()));
    report_components();
  }

  static std::string uncertain_remark(const AlignedTile& tile) {
    const double error = largest(tile.expected_error_voxels);
    return error > kGoodVoxels
               ? fmt::format("hangs on a link that nothing else confirms and may be {:.1f} voxels off", error)
               : std::string("hangs on a link that nothing else confirms");
  }

  static std::string far_remark(Vec3 shift) {
    return fmt::format("is {:.1f},{:.1f},{:.1f} voxels from where the stage says, unusually far", shift.x,
                       shift.y, shift.z);
  }

  /// The part of a tile's shift that a wrong voxel size does not explain.
  Vec3 unexplained(const AlignedTile& tile) const {
    const auto excess = [](const ScaleEstimate& s) { return s.determined ? s.given_um / s.value_um - 1 : 0; };
    const Vec3 lever = tile.nominal_um - middle_;
    Vec3 shift = tile.shift_voxels;
    shift.x -= excess(result_.x_step) * lever.x / result_.voxel_um.x;
    shift.y -= excess(result_.y_voxel) * lever.y / result_.voxel_um.y;
    return shift;
  }

  void report_components() {
    int groups = 0, first = -1;
    for (const AlignedTile& tile : result_.tiles)
      if (tile.linked && tile.component > first) {
        first = tile.component;
        ++groups;
      }
    if (groups > 1)
      say(Verdict::look,
          fmt::format("the trusted links form {} separate groups of tiles, which are placed to "
                      "each other by the stage alone",
                      groups));
  }

  void look_at_residuals() {
    const double rms = result_.residual_rms_voxels;
    if (rms > kBadVoxels)
      say(Verdict::do_not_use,
          fmt::format("links differ from the solution by {:.2f} voxels on average", rms));
    else if (rms > kGoodVoxels)
      say(Verdict::look, fmt::format("links differ from the solution by {:.2f} voxels on average", rms));
    for (const AlignedTile& tile : result_.tiles)
      if (tile.certain && largest(tile.expected_error_voxels) > kGoodVoxels)
        say(Verdict::look, fmt::format("tile {} is known to {:.2f} voxels only", tile.name,
                                       largest(tile.expected_error_voxels)));
  }

  /// x and z stay where the stage says, but the links know better.
  void look_at_other_axes() {
    double worst = 0;
    for (const AlignedLink& link : result_.links)
      if (link.trusted)
        worst = std::max({worst, std::abs(link.shift_voxels.x), std::abs(link.shift_voxels.z)});
    if (worst > 1)
      say(Verdict::look,
          fmt::format("tiles are up to {:.1f} voxels off in x or z too; --align-xz moves them", worst));
  }

  AlignmentResult& result_;
  const SolveSettings& settings_;
  Vec3 middle_;  ///< of the nominal positions
};

}  // namespace

void judge(AlignmentResult& result, const SolveSettings& settings) {
  Judge(result, settings).run();
}

}  // namespace spim::detail
