/// seam-check: how well tiles agree where they overlap.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "aligning.hpp"
#include "command.hpp"
#include "recognition.hpp"
#include "spim/host/align_tiles.hpp"
#include "spim/host/pair_plan.hpp"
#include "spim/host/seam_check.hpp"
#include "stitching.hpp"
#include "volume_seams.hpp"

namespace spim::cli {

namespace {

using nlohmann::ordered_json;

/// Along each axis of a face in a volume, unless --blocks says otherwise.
constexpr std::int64_t kPlacesOfFace = 8;

struct Request {
  std::vector<std::string> paths;
  TileAccess access;
  ScanOptions scan;
  StitchOptions stitch;
  PluginChoice plugins;
  CommonOptions common;
  SeamSettings seams;
  std::int64_t level = 1;
  double max_displacement = 0;
  double min_correlation = -1;
  double max_contrast = 0;
  bool json = false;
};

/// One overlap.
struct Seam {
  std::string first, second;
  SeamAgreement stage;
  std::optional<SeamAgreement> aligned;

  const SeamAgreement& used() const { return aligned ? *aligned : stage; }
};

void declare(CommandLine& line, Request& request) {
  line.arguments(
      {"TILES|VOLUME [ALIGN]", "", "folder of tiles, or stitched volume, and the alignment file to judge"},
      request.paths, {1, 2});
  line.group("Input");
  line.text({"pattern", "GLOB", "only tiles whose path below the folder matches, e.g. '*/*_0/*'"},
            request.access.pattern);
  line.integer({"level", "N", "level of converted volumes to compare; 1 is full resolution, 2 half of it"},
               request.level, {1, 24});
  request.plugins.add_reader(line);
  line.flag({"is-oblique", "",
             "the volumes hold an oblique scan; --is-oblique=false says that they are full boxes"},
            request.access.is_oblique);
  add_scan_options(line, request.scan);
  add_stack_options(line, request.access.stack);
  line.flag(
      {"align-xz", "", "take x and z from the alignment even if it does not say that they were aligned"},
      request.stitch.align_xz);
  line.flag({"negative-y", "", "the stage's y runs against the rows of the frames"},
            request.stitch.negative_y);
  line.integer(
      {"z-offset", "VOXELS",
       "distance in z between tiles that follow each other in z; 0 means as the names of the tiles say"},
      request.stitch.z_offset, {0, 1e9});
  line.group("Comparison");
  line.integer({"blocks", "N",
                "places that are looked at along each axis of an overlap; of a face in a stitched volume 8 "
                "unless given"},
               request.seams.blocks_per_axis, {1, 100});
  line.integer({"search", "VOXELS", "how far a displacement is looked for along each axis"},
               request.seams.search_voxels, {2, 16});
  line.number({"max-displacement", "VOXELS",
               "exit with code 1 when an overlap is displaced by more along an axis; 0 means no limit"},
              request.max_displacement, {0, 1e3});
  line.number({"min-correlation", "R", "exit with code 1 when an overlap correlates less; -1 means no limit"},
              request.min_correlation, {-1, 1});
  line.number(
      {"max-contrast", "F",
       "of a stitched volume: exit with code 1 when a seam shows more than this; 1 is invisible, 0 means no "
       "limit"},
      request.max_contrast, {0, 1e6});
  line.flag({"json", "", "print JSON"}, request.json);
  line.group("Machine");
  line.integer({"n-workers,workers", "N", "threads that read and compute; 0 means one per core"},
               request.common.workers, {0, 4096});
  request.plugins.add_general(line);
  add_general_options(line, request.common);
}

double largest(Vec3 v) noexcept {
  return std::max({std::abs(v.x), std::abs(v.y), std::abs(v.z)});
}

Vec3 offset_of(const TileToAlign& fixed, const TileToAlign& moving, Vec3 from, Vec3 to, Vec3 voxel_um) {
  const Vec3 um = to + moving.origin_um - from - fixed.origin_um;
  return {um.x / voxel_um.x, um.y / voxel_um.y, um.z / voxel_um.z};
}

std::vector<Seam> measure(Session& session, TileFolder& folder, const Request& request) {
  AlignRequest plain;
  plain.placement = {request.stitch.negative_y, request.stitch.z_offset, folder.full_voxel_um().z};
  plain.stack = request.access.stack;
  Vec3 voxel_um;
  const std::vector<TileToAlign> tiles = describe_tiles(session, folder, plain, voxel_um);
  std::vector<Vec3> aligned;
  if (!request.stitch.alignment.empty())
    aligned = place_tiles(folder.paths(), request.stitch, folder.full_voxel_um()).positions_um;
  std::vector<TilePair> pairs = plan_pairs(tiles, {voxel_um, 4});
  std::erase_if(pairs, [](const TilePair& pair) { return !pair.neighbours; });
  std::vector<Seam> seams(pairs.size());
  session.progress().begin_counting("measuring overlaps", "overlaps",
                                    static_cast<std::int64_t>(pairs.size()));
  session.executor().parallel_for(static_cast<std::int64_t>(pairs.size()), [&](std::int64_t k, int) {
    const auto [i, j] =
        std::pair{pairs[static_cast<std::size_t>(k)].fixed, pairs[static_cast<std::size_t>(k)].moving};
    Seam& seam = seams[static_cast<std::size_t>(k)];
    seam.first = tiles[i].name;
    seam.second = tiles[j].name;
    VolumeTileView fixed(folder.open(i, StackChecks::none).volume, tiles[i].region);
    VolumeTileView moving(folder.open(j, StackChecks::none).volume, tiles[j].region);
    seam.stage = check_seam(fixed, moving, pairs[static_cast<std::size_t>(k)].guess_voxels, request.seams);
    if (!aligned.empty())
      seam.aligned = check_seam(
          fixed, moving, offset_of(tiles[i], tiles[j], aligned[i], aligned[j], voxel_um), request.seams);
    session.progress().advance(1);
  });
  session.progress().end();
  return seams;
}

/// Medians and extremes over the overlaps that have content.
struct Summary {
  std::size_t seams = 0, empty = 0, lost = 0;
  double median = 0, worst = 0;  ///< displacement, largest along any axis
  double correlation = 0, least_correlation = 1;
};

template <class Choose>
Summary sum_up(const std::vector<Seam>& seams, const Choose& choose) {
  Summary sum;
  std::vector<double> displacements, correlations;
  for (const Seam& seam : seams) {
    const SeamAgreement& a = choose(seam);
    ++sum.seams;
    sum.empty += a.blocks == 0;
    sum.lost += a.lost();
    if (a.measured()) displacements.push_back(largest(a.displacement_voxels));
    if (a.blocks > 0) correlations.push_back(a.correlation);
  }
  std::ranges::sort(displacements);
  std::ranges::sort(correlations);
  if (!displacements.empty()) {
    sum.median = displacements[displacements.size() / 2];
    sum.worst = displacements.back();
  }
  if (!correlations.empty()) {
    sum.correlation = correlations[correlations.size() / 2];
    sum.least_correlation = correlations.front();
  }
  return sum;
}

std::string text_of(const SeamAgreement& a) {
  if (a.blocks == 0) return "no content to compare";
  if (!a.measured())
    return fmt::format("fits nowhere within the search, correlation {:.3f}, {} blocks", a.correlation,
                       a.blocks);
  const Vec3 d = a.displacement_voxels;
  return fmt::format(
      "displaced by {:+.2f} {:+.2f} {:+.2f} voxels, correlation {:.3f}, brightness {:.3f}, {} of {} blocks",
      d.x, d.y, d.z, a.correlation, a.brightness_ratio, a.blocks - a.unmatched, a.blocks);
}

std::string text_of(const char* what, const Summary& sum) {
  return fmt::format(
      "{} displaced by {:.2f} voxels (median), {:.2f} (worst), correlation {:.3f} (median), {:.3f} (worst); "
      "{} overlaps, "
      "{} without content, {} that fit nowhere\n",
      what, sum.median, sum.worst, sum.correlation, sum.least_correlation, sum.seams, sum.empty, sum.lost);
}

ordered_json json_of(const SeamAgreement& a) {
  const Vec3 d = a.displacement_voxels;
  ordered_json json = {{"blocks", a.blocks}, {"unmatched_blocks", a.unmatched}};
  json["displacement_voxels"] = a.measured() ? ordered_json{d.x, d.y, d.z} : ordered_json(nullptr);
  json["correlation"] = a.blocks > 0 ? ordered_json(a.correlation) : ordered_json(nullptr);
  json["brightness_ratio"] = a.blocks > 0 ? ordered_json(a.brightness_ratio) : ordered_json(nullptr);
  return json;
}

/// What is beyond the limits, a phrase each.
std::vector<std::string> complaints(const std::vector<Seam>& seams, const Request& request) {
  std::vector<std::string> found;
  const bool limited = request.max_displacement > 0 || request.min_correlation > -1;
  bool any = false;
  for (const Seam& seam : seams) {
    const SeamAgreement& a = seam.used();
    any = any || a.blocks > 0;
    const std::string names = seam.first + " and " + seam.second;
    if (request.max_displacement > 0 && a.lost())
      found.push_back(fmt::format("{}: fit nowhere within {} voxels", names, request.seams.search_voxels));
    else if (request.max_displacement > 0 && a.measured() &&
             largest(a.displacement_voxels) > request.max_displacement)
      found.push_back(fmt::format("{}: displaced by {:.2f} voxels (limit {:g})", names,
                                  largest(a.displacement_voxels), request.max_displacement));
    if (request.min_correlation > -1 && a.blocks > 0 && a.correlation < request.min_correlation)
      found.push_back(
          fmt::format("{}: correlate by {:.3f} (limit {:g})", names, a.correlation, request.min_correlation));
  }
  if (limited && !any) found.emplace_back("no overlap has content that could be compared");
  return found;
}

std::string as_json(const std::vector<Seam>& seams, const std::vector<std::string>& found) {
  ordered_json json = {{"overlaps", ordered_json::array()}};
  for (const Seam& seam : seams) {
    ordered_json one = {{"tiles", {seam.first, seam.second}}, {"stage", json_of(seam.stage)}};
    if (seam.aligned) one["alignment"] = json_of(*seam.aligned);
    json["overlaps"].push_back(std::move(one));
  }
  json["complaints"] = found;
  json["good"] = found.empty();
  // Paths need not be UTF-8, JSON must be.
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string as_text(const std::vector<Seam>& seams, const std::vector<std::string>& found) {
  std::string text;
  for (const Seam& seam : seams) {
    text += fmt::format("{} and {}\n  stage      {}\n", seam.first, seam.second, text_of(seam.stage));
    if (seam.aligned) text += fmt::format("  alignment  {}\n", text_of(*seam.aligned));
  }
  text += text_of("stage:    ", sum_up(seams, [](const Seam& s) -> const SeamAgreement& { return s.stage; }));
  if (!seams.empty() && seams.front().aligned)
    text +=
        text_of("alignment:", sum_up(seams, [](const Seam& s) -> const SeamAgreement& { return s.used(); }));
  for (const std::string& complaint : found) text += "beyond the limit: " + complaint + "\n";
  return text;
}

/// True for a path that a volume reader knows; a folder of tiles is none.
bool is_volume(Session& session, const std::string& path) {
  return std::ranges::any_of(session.registry().items(Kind::volume_reader),
                             [&](const Item& item) { return confidence(item, path) > 0; });
}

/// The other thing that can be checked.
int check_stitched(Session& session, const CommandLine& line, const Request& request) {
  for (const char* name : {"pattern", "level", "align-xz", "negative-y", "z-offset", "search",
                           "max-displacement", "min-correlation"})
    if (line.given(name))
      throw UsageError(fmt::format("--{} is for tiles, but {} is a volume", name, request.access.input));
  if (request.stitch.alignment.empty())
    throw UsageError(fmt::format("{}: is a volume; give the alignment that it was stitched with, too",
                                 request.access.input));
  return check_volume(
      session,
      {request.access.input, request.stitch.alignment, request.scan, request.access.is_oblique,
       line.given("blocks") ? request.seams.blocks_per_axis : kPlacesOfFace, request.max_contrast,
       request.json},
      request.plugins.get());
}

}  // namespace

int run_seam_check(const Invocation& call) {
  Request request;
  CommandLine line(
      call.program, "TILES|VOLUME [ALIGN] [options]",
      "Measures how well tiles agree where they overlap: how far one would still have to move, how they "
      "correlate, and how their brightness differs; where the stage says, and where the alignment file "
      "ALIGN says. It uses nothing of the aligners. The tiles are camera files or converted volumes. Of a "
      "stitched volume: how much the faces of tiles show in it.");
  declare(line, request);
  if (!line.parse(call.arguments)) return kDone;
  TileAccess& access = request.access;
  access.input = request.paths.front();
  if (request.paths.size() > 1) request.stitch.alignment = request.paths[1];
  Session session(request.common, *call.cancel);
  request.plugins.resolve(session, {Kind::frame_reader, Kind::volume_reader});
  access.plugins = request.plugins.get();
  if (is_volume(session, access.input)) return check_stitched(session, line, request);
  if (line.given("max-contrast"))
    throw UsageError(fmt::format("--max-contrast is for stitched volumes, but {} holds tiles", access.input));
  access.kind = kind_of_tiles(session, access.input);
  access.scan = request.scan.settings();
  access.level = static_cast<std::int32_t>(request.level - 1);
  TileFolder folder(session, access);
  const std::vector<Seam> seams = measure(session, folder, request);
  if (seams.empty())
    throw Error(fmt::format("{}: no tiles overlap; there are no seams to check", access.input));
  const std::vector<std::string> found = complaints(seams, request);
  std::fputs((request.json ? as_json(seams, found) : as_text(seams, found)).c_str(), stdout);
  return found.empty() ? kDone : kFailed;
}

}  // namespace spim::cli
