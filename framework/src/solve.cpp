#include "spim/host/solve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>

#include "link_graph.hpp"
#include "robust_positions.hpp"
#include "spim/error.hpp"
#include "verdict.hpp"

namespace spim {

using detail::Axes;
using detail::axes_of;
using detail::Edge;
using detail::LinkGraph;
using detail::RobustProblem;
using detail::RobustSolution;

namespace {

double largest(Vec3 v) noexcept {
  return std::max({std::abs(v.x), std::abs(v.y), std::abs(v.z)});
}

/// Nominal positions along one axis in voxels, relative to their mean; empty when they are all the same.
std::vector<double> levers_of(const std::vector<AlignedTile>& tiles, double Vec3::*axis, double voxel_um) {
  std::vector<double> levers;
  double mean = 0, spread = 0;
  for (const AlignedTile& tile : tiles) {
    levers.push_back(tile.nominal_um.*axis / voxel_um);
    mean += levers.back() / static_cast<double>(tiles.size());
  }
  for (double& lever : levers) {
    lever -= mean;
    spread = std::max(spread, std::abs(lever));
  }
  if (!(spread > 1)) levers.clear();
  return levers;
}

/// Which links do not take part in the solution although they are measured, and why.
using LeftOut = std::map<std::size_t, std::string>;

RobustProblem problem_of(const AlignmentResult& result, const SolveSettings& settings,
                         const LeftOut& left_out) {
  RobustProblem problem;
  problem.tiles = result.tiles.size();
  problem.settings = settings;
  problem.axes = settings.align_xz ? std::vector<std::size_t>{0, 1, 2} : std::vector<std::size_t>{1};
  for (std::size_t k = 0; k < result.links.size(); ++k) {
    const AlignedLink& link = result.links[k];
    if (link.measured && !left_out.contains(k))
      problem.links.push_back(
          {link.fixed, link.moving, axes_of(link.shift_voxels), axes_of(link.error_voxels), link.confidence});
  }
  if (settings.fit_voxel_size) {
    problem.levers[1] = levers_of(result.tiles, &Vec3::y, result.voxel_um.y);
    if (settings.align_xz) problem.levers[0] = levers_of(result.tiles, &Vec3::x, result.voxel_um.x);
  }
  return problem;
}

/// The voxel size of one axis: tiles are (1 + e) times as many voxels apart as was thought.
ScaleEstimate scale_of(double given_um, double e, double error) {
  ScaleEstimate scale;
  scale.given_um = scale.value_um = given_um;
  scale.standard_error_um = given_um * error;
  if (!detail::scale_known(e, error)) return scale;
  scale.determined = true;
  scale.value_um = given_um / (1 + e);
  return scale;
}

/// Measured minus solved shift along the solved axes.
Axes residual_of(const AlignedLink& link, const RobustProblem& problem, const RobustSolution& solution) {
  const Axes all =
      detail::residual_of({link.fixed, link.moving, axes_of(link.shift_voxels), {}, 0}, solution.u);
  Axes solved{};
  for (const std::size_t axis : problem.axes) solved[axis] = all[axis];
  return solved;
}

void store_links(AlignmentResult& result, const RobustProblem& problem, const RobustSolution& solution,
                 const LeftOut& left_out) {
  std::size_t used = 0;
  double sum = 0, count = 0;
  result.residual_worst_voxels = 0;
  for (std::size_t k = 0; k < result.links.size(); ++k) {
    AlignedLink& link = result.links[k];
    link.trusted = false;
    link.residual_voxels = {};
    if (!link.measured) continue;
    const Axes solved = residual_of(link, problem, solution);
    link.residual_voxels = detail::vec_of(solved);
    if (const auto reason = left_out.find(k); reason != left_out.end()) {
      link.rejection = reason->second;
      continue;
    }
    link.trusted = solution.trusted[used++];
    if (!link.trusted) {
      link.rejection = fmt::format("it contradicts the others by {:.1f},{:.1f},{:.1f} voxels", solved[0],
                                   solved[1], solved[2]);
      continue;
    }
    link.rejection.clear();
    for (const std::size_t axis : problem.axes) {
      sum += solved[axis] * solved[axis];
      count += 1;
      result.residual_worst_voxels = std::max(result.residual_worst_voxels, std::abs(solved[axis]));
    }
  }
  result.residual_rms_voxels = count > 0 ? std::sqrt(sum / count) : 0;
}

void store_tiles(AlignmentResult& result, const RobustProblem& problem, const RobustSolution& solution) {
  Vec3 least;
  for (std::size_t i = 0; i < result.tiles.size(); ++i) {
    AlignedTile& tile = result.tiles[i];
    Axes u{}, error{};
    for (const std::size_t axis : problem.axes) {
      u[axis] = solution.u[i][axis];
      error[axis] = std::sqrt(solution.variance[i][axis]);
    }
    tile.shift_voxels = detail::vec_of(u);
    tile.expected_error_voxels = detail::vec_of(error);
    tile.position_um =
        tile.nominal_um + Vec3{u[0] * result.voxel_um.x, u[1] * result.voxel_um.y, u[2] * result.voxel_um.z};
    const Vec3 p = tile.position_um;
    least = i == 0 ? p : Vec3{std::min(least.x, p.x), std::min(least.y, p.y), std::min(least.z, p.z)};
  }
  for (AlignedTile& tile : result.tiles) tile.position_um = tile.position_um - least;
  result.origin_um = least;
}

/// Links that are trusted, as a graph; `index` says which link each edge is.
LinkGraph trusted_graph(const AlignmentResult& result, std::vector<std::size_t>& index) {
  std::vector<Edge> edges;
  index.clear();
  for (std::size_t k = 0; k < result.links.size(); ++k)
    if (result.links[k].trusted) {
      edges.emplace_back(result.links[k].fixed, result.links[k].moving);
      index.push_back(k);
    }
  return LinkGraph(result.tiles.size(), edges);
}

/// A link that alone joins two parts of a group, and that nothing confirms.
struct Bridge {
  std::size_t link = 0;
  std::vector<std::size_t> behind;         ///< tiles of the smaller part
  std::vector<std::size_t> contradicting;  ///< measured links between the parts that are not trusted
  double doubt = 0;                        ///< largest residual of these, voxels
};

std::vector<Bridge> unconfirmed_bridges(AlignmentResult& result) {
  std::vector<std::size_t> index;
  const LinkGraph graph = trusted_graph(result, index);
  for (std::size_t i = 0; i < result.tiles.size(); ++i) {
    AlignedTile& tile = result.tiles[i];
    tile.component = graph.component(i);
    tile.linked = tile.certain = graph.component_size(tile.component) > 1;
  }
  std::vector<Bridge> bridges;
  for (std::size_t e = 0; e < index.size(); ++e) {
    AlignedLink& link = result.links[index[e]];
    if (!graph.is_bridge(e)) link.confirmed = true;
    if (link.confirmed) continue;
    Bridge bridge{index[e], graph.smaller_side(e), {}, 0};
    for (std::size_t k = 0; k < result.links.size(); ++k) {
      const AlignedLink& other = result.links[k];
      if (!other.measured || other.trusted || graph.component(other.fixed) != graph.component(other.moving) ||
          graph.component(other.fixed) != graph.component(link.fixed) ||
          !graph.separates(e, other.fixed, other.moving))
        continue;
      bridge.contradicting.push_back(k);
      bridge.doubt = std::max(bridge.doubt, largest(other.residual_voxels));
    }
    bridges.push_back(std::move(bridge));
  }
  return bridges;
}

/// Tiles behind an unconfirmed bridge would move if another link than the rejected one were wrong.
void mark_uncertain(AlignmentResult& result, const std::vector<Bridge>& bridges) {
  for (const Bridge& bridge : bridges)
    for (const std::size_t i : bridge.behind) {
      AlignedTile& tile = result.tiles[i];
      tile.certain = false;
      Vec3& error = tile.expected_error_voxels;
      error.y = std::max(error.y, bridge.doubt);
      if (result.align_xz)
        error = {std::max(error.x, bridge.doubt), error.y, std::max(error.z, bridge.doubt)};
    }
}

/// How far a link alone may move tiles against each other, in units of SolveSettings::stage_voxels: when
/// another link contradicts it, and when none does. Beyond that the stage is more likely to be right than the
/// link.
constexpr double kContradictedReach = 2;
constexpr double kLoneReach = 3;

/// Leaves out bridges that move tiles implausibly far, and what contradicts them, which alone would be worth
/// no more. True when there is any.
bool leave_out(const AlignmentResult& result, const std::vector<Bridge>& bridges,
               const RobustProblem& problem, const RobustSolution& solution, LeftOut& left_out) {
  bool any = false;
  for (const Bridge& bridge : bridges) {
    const AlignedLink& link = result.links[bridge.link];
    const Axes shift = axes_of(link.shift_voxels);
    double off = 0;  // voxels
    for (const std::size_t axis : problem.axes) {
      const std::vector<double>& levers = problem.levers[axis];
      const double scale =
          levers.empty() || !detail::scale_known(solution.scale[axis], solution.scale_error[axis])
              ? 0
              : solution.scale[axis] * (levers[link.moving] - levers[link.fixed]);
      off = std::max(off, std::abs(shift[axis] - scale));
    }
    const bool contradicted = !bridge.contradicting.empty();
    if (!(off > (contradicted ? kContradictedReach : kLoneReach) * problem.settings.stage_voxels)) continue;
    any = true;
    left_out[bridge.link] =
        fmt::format("it moves a tile by {:.1f} voxels and {}", off,
                    contradicted ? fmt::format("another link contradicts it by {:.1f} voxels", bridge.doubt)
                                 : "nothing else confirms it");
    for (const std::size_t k : bridge.contradicting)
      left_out[k] =
          fmt::format("another link contradicts it by {:.1f} voxels and nothing decides between them",
                      largest(result.links[k].residual_voxels));
  }
  return any;
}

}  // namespace

void solve_positions(AlignmentResult& result, const SolveSettings& settings) {
  if (result.tiles.empty()) throw Error("there are no tiles to align");
  result.align_xz = settings.align_xz;
  if (!(result.full_voxel_um.x > 0)) result.full_voxel_um = result.voxel_um;
  LeftOut left_out;
  for (;;) {  // ends: each round leaves out more links
    const RobustProblem problem = problem_of(result, settings, left_out);
    const RobustSolution solution = detail::solve_robustly(problem);
    store_links(result, problem, solution, left_out);
    store_tiles(result, problem, solution);
    result.y_voxel = scale_of(result.full_voxel_um.y, solution.scale[1], solution.scale_error[1]);
    result.x_step = scale_of(result.full_voxel_um.x, solution.scale[0], solution.scale_error[0]);
    const std::vector<Bridge> bridges = unconfirmed_bridges(result);
    mark_uncertain(result, bridges);
    if (!leave_out(result, bridges, problem, solution, left_out)) break;
  }
  detail::judge(result, settings);
}

const char* verdict_text(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::good:
      return "good";
    case Verdict::look:
      return "look at these links";
    default:
      return "do not use";
  }
}

}  // namespace spim
