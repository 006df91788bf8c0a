#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "command.hpp"
#include "command_line.hpp"
#include "plugin_choice.hpp"
#include "position_check.hpp"
#include "session.hpp"
#include "spim/error.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/truth_check.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

/// How bad the numbers may be.
struct TruthLimits {
  double misplacement = 0.75;  ///< voxels, along any axis, of any tile
  double sigmas = 1.5;         ///< RMS error over expected noise, tiles moved to where they are shown
  double seam = 0.05;          ///< relative error at any distance from a seam
  double missing = 0.0001;     ///< fraction of covered voxels that are 0
};

struct Typed {
  std::vector<std::string> paths;
  std::string channel, origin, corrected, alignment;
  std::string interpolate = "nearest";
  PluginChoice plugins;
  std::int64_t seed = 1;
  bool full = false, json = false;
  TruthLimits limits;
};

Vec3 origin_of(const std::string& text) {
  const std::vector<std::string> parts = split(text, ',');
  if (parts.size() != 3)
    throw UsageError(fmt::format("--origin is \"{}\"; it must be three numbers x,y,z in µm", text));
  return {parse_number(parts[0]), parse_number(parts[1]), parse_number(parts[2])};
}

Corrections corrections_of(const std::string& text) {
  Corrections corrections;
  if (text.empty()) return corrections;
  for (const std::string& word : split(text, ',')) {
    if (word == "dark")
      corrections.dark = true;
    else if (word == "illumination")
      corrections.illumination = true;
    else if (word == "stripes")
      corrections.stripes = true;
    else
      throw UsageError(fmt::format(
          "--corrected cannot be \"{}\"; it is dark, illumination, stripes, or several joined by commas",
          word));
  }
  return corrections;
}

/// The tiles of one channel: the one asked for, or the first.
std::vector<TrueTile> tiles_of(const std::string& folder, const std::string& channel) {
  std::vector<TrueTile> all = read_truth(folder);
  const std::string wanted = channel.empty() ? all.front().channel : channel;
  std::string known;
  for (const TrueTile& tile : all)
    if (known.find(tile.channel) == std::string::npos) known += (known.empty() ? "" : ", ") + tile.channel;
  std::erase_if(all, [&](const TrueTile& tile) { return tile.channel != wanted; });
  if (all.empty()) throw UsageError(fmt::format("{} has no channel {}; it has {}", folder, wanted, known));
  return all;
}

double part(std::int64_t some, std::int64_t all) {
  return all > 0 ? static_cast<double>(some) / static_cast<double>(all) : 0;
}

/// An alignment does not know where everything is, only where tiles are to each other.
enum class Placing { by_stage, aligned };

/// What is beyond the limits, a phrase each.
std::vector<std::string> complaints(const TruthReport& r, const TruthLimits& limits, Placing placing) {
  std::vector<std::string> found;
  if (r.expected_covered == 0) found.emplace_back("no tile lies inside the volume");
  if (part(r.missing, r.expected_covered) > limits.missing)
    found.push_back(fmt::format("{:.3g} % of the voxels that tiles cover are 0 (limit {:.3g} %)",
                                100 * part(r.missing, r.expected_covered), 100 * limits.missing));
  if (r.uncovered_nonzero > 0)
    found.push_back(fmt::format("{} voxels that no tile covers are not 0", r.uncovered_nonzero));
  const double misplaced = placing == Placing::aligned ? r.worst_relative_misplacement : r.worst_misplacement;
  if (misplaced > limits.misplacement)
    found.push_back(fmt::format("a tile is {:.2f} voxels from its true place (limit {:.2f})", misplaced,
                                limits.misplacement));
  if (r.moved_error_in_sigmas > limits.sigmas)
    found.push_back(fmt::format("grey levels are {:.2f} times the noise from the truth (limit {:.2f})",
                                r.moved_error_in_sigmas, limits.sigmas));
  if (r.worst_seam && std::abs(r.worst_seam->relative_error) > limits.seam)
    found.push_back(
        fmt::format("seams are {:.1f} % {} (limit {:.1f} %)", 100 * std::abs(r.worst_seam->relative_error),
                    r.worst_seam->relative_error < 0 ? "too dark" : "too bright", 100 * limits.seam));
  return found;
}

nlohmann::ordered_json triple(Vec3 v) {
  return nlohmann::ordered_json::array({v.x, v.y, v.z});
}

nlohmann::ordered_json positions_json(const PositionCheck& check) {
  return {{"rms_before_voxels", triple(check.before.rms)},
          {"worst_before_voxels", check.before.worst},
          {"rms_after_voxels", triple(check.after.rms)},
          {"worst_after_voxels", check.after.worst}};
}

std::string positions_text(const std::optional<PositionCheck>& check) {
  if (!check) return "";
  const auto line = [](const char* what, const PositionErrors& e) {
    return fmt::format("  {} RMS {:.3f} {:.3f} {:.3f}, worst {:.3f}\n", what, e.rms.x, e.rms.y, e.rms.z,
                       e.worst);
  };
  return "positions     errors in voxels (x, y, z), without the mean of all tiles\n" +
         line("of the stage    ", check->before) + line("of the alignment", check->after);
}

/// Without a volume: the positions alone.
int show_positions(const Typed& typed, const std::vector<TrueTile>& tiles,
                   const std::optional<PositionCheck>& check) {
  if (!check) throw UsageError("truth-check lacks VOLUME; give the stitched volume, or --alignment FILE");
  const bool good = check->after.worst <= typed.limits.misplacement;
  if (typed.json) {
    nlohmann::ordered_json json = {{"positions", positions_json(*check)},
                                   {"tiles", nlohmann::ordered_json::array()}};
    for (std::size_t i = 0; i < tiles.size(); ++i)
      json["tiles"].push_back({{"file", tiles[i].file}, {"error_voxels", triple(check->of_tile[i])}});
    json["good"] = good;
    std::fputs((json.dump(2) + "\n").c_str(), stdout);
    return good ? kDone : kFailed;
  }
  std::fputs(positions_text(check).c_str(), stdout);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Vec3 e = check->of_tile[i];
    fmt::print("  {}: {:+.2f} {:+.2f} {:+.2f}\n", tiles[i].file, e.x, e.y, e.z);
  }
  fmt::print("verdict: {}\n", good ? "good" : "bad");
  return good ? kDone : kFailed;
}

std::string as_json(const TruthReport& r, const std::vector<std::string>& found,
                    const std::optional<PositionCheck>& positions) {
  nlohmann::ordered_json json = {{"voxels", r.voxels},
                                 {"covered_expected", r.expected_covered},
                                 {"covered_missing", r.missing},
                                 {"uncovered_nonzero", r.uncovered_nonzero},
                                 {"bias", r.bias},
                                 {"rms_error", r.rms_error},
                                 {"correlation", r.correlation},
                                 {"error_in_sigmas", r.error_in_sigmas},
                                 {"moved_rms_error", r.moved_rms_error},
                                 {"moved_correlation", r.moved_correlation},
                                 {"moved_error_in_sigmas", r.moved_error_in_sigmas},
                                 {"misplacement_voxels", triple(r.misplacement_voxels)},
                                 {"worst_misplacement_voxels", r.worst_misplacement},
                                 {"worst_relative_misplacement_voxels", r.worst_relative_misplacement}};
  if (r.worst_seam)
    json["worst_seam"] = {{"axis", std::string(1, r.worst_seam->axis)},
                          {"distance", r.worst_seam->distance},
                          {"voxels", r.worst_seam->voxels},
                          {"relative_error", r.worst_seam->relative_error}};
  if (positions) json["positions"] = positions_json(*positions);
  json["tiles"] = nlohmann::ordered_json::array();
  for (const TileCheck& tile : r.tiles) {
    nlohmann::ordered_json one = {{"file", tile.file}, {"stage_error_um", triple(tile.stage_error_um)}};
    one["misplacement_voxels"] =
        tile.measured ? triple(tile.misplacement_voxels) : nlohmann::ordered_json(nullptr);
    if (tile.measured) one["correlation"] = tile.correlation;
    json["tiles"].push_back(one);
  }
  json["good"] = found.empty();
  json["complaints"] = found;
  return json.dump(2) + "\n";
}

std::string as_text(const TruthReport& r, const std::vector<std::string>& found) {
  std::string text =
      fmt::format("compared      {} voxels, {} of them inside tiles\n", r.voxels, r.expected_covered);
  text += fmt::format("coverage      {} voxels missing ({:.4f} %), {} outside all tiles not 0\n", r.missing,
                      100 * part(r.missing, r.expected_covered), r.uncovered_nonzero);
  text +=
      fmt::format("grey levels   RMS error {:.1f} = {:.2f} x the noise, bias {:+.2f}, correlation {:.4f}\n",
                  r.rms_error, r.error_in_sigmas, r.bias, r.correlation);
  text += fmt::format("  tiles moved RMS error {:.1f} = {:.2f} x the noise, correlation {:.4f}\n",
                      r.moved_rms_error, r.moved_error_in_sigmas, r.moved_correlation);
  if (r.worst_seam)
    text += fmt::format("worst seam    {:+.2f} % at distance {} from a {} face ({} voxels)\n",
                        100 * r.worst_seam->relative_error, r.worst_seam->distance, r.worst_seam->axis,
                        r.worst_seam->voxels);
  text += "places        true position minus shown position, voxels (x, y, z); stage error, µm\n";
  for (const TileCheck& tile : r.tiles) {
    const Vec3 m = tile.misplacement_voxels, e = tile.stage_error_um;
    text += tile.measured ? fmt::format("  {}: {:+.2f} {:+.2f} {:+.2f}", tile.file, m.x, m.y, m.z)
                          : fmt::format("  {}: nothing to find it by", tile.file);
    text += fmt::format("; {:+.2f} {:+.2f} {:+.2f}\n", e.x, e.y, e.z);
  }
  text += fmt::format("  mean {:+.2f} {:+.2f} {:+.2f}, worst {:.2f}, worst after removing the mean {:.2f}\n",
                      r.misplacement_voxels.x, r.misplacement_voxels.y, r.misplacement_voxels.z,
                      r.worst_misplacement, r.worst_relative_misplacement);
  if (found.empty()) return text + "verdict: good\n";
  text += "verdict: bad: ";
  for (std::size_t n = 0; n < found.size(); ++n) text += (n > 0 ? "; " : "") + found[n];
  return text + "\n";
}

void declare(CommandLine& line, Typed& typed, TruthCheckSettings& settings) {
  line.arguments(
      {"", "ACQUISITION VOLUME", "the folder that spimstitch simulate wrote, and the stitched volume"},
      typed.paths, {1, 2});
  line.group("What");
  line.text({"channel", "NAME", "channel of the volume; without it the first one"}, typed.channel);
  typed.plugins.add_reader(line);
  line.text({"origin", "X,Y,Z",
             "stage position of the volume's first voxel, µm; without it what the volume says, or the "
             "smallest corner of the "
             "tiles"},
            typed.origin);
  line.text({"corrected", "WHAT",
             "what was taken out of the frames: dark, illumination, stripes, or several with commas"},
            typed.corrected);
  line.text(
      {"alignment", "FILE",
       "alignment that the volume was stitched with: tiles are expected where it says; its errors are shown, "
       "before and after; without VOLUME nothing else is"},
      typed.alignment);
  line.choice({"interpolate", "METHOD", "how the volume was stitched, as for oblique2stitched"},
              typed.interpolate, {"nearest", "linear"});
  line.integer({"blocks", "N", "random blocks of 64 x 64 x 16 voxels to compare"}, settings.blocks, {1, 1e9});
  line.flag({"full", "", "compare every voxel"}, typed.full);
  line.integer({"seed", "N", "decides the choice of blocks"}, typed.seed, {0, 9e15});
  line.integer({"search", "N", "how far to look for a tile around its nominal position, voxels"},
               settings.search, {0, 64});
  line.flag({"json", "", "print JSON"}, typed.json);
  line.group("Limits of a good volume");
  line.number({"max-misplacement", "VOXELS", "largest distance of a tile from its true place along an axis"},
              typed.limits.misplacement, {0, 1e9});
  line.number({"max-sigmas", "F", "RMS error of grey levels over the expected noise"}, typed.limits.sigmas,
              {0, 1e9});
  line.number({"max-seam", "F", "relative error of grey levels at seams"}, typed.limits.seam, {0, 1e9});
  line.number({"max-missing", "F", "fraction of covered voxels that are 0"}, typed.limits.missing, {0, 1});
}

}  // namespace

int run_truth_check(const Invocation& call) {
  CommandLine line(
      call.program, "ACQUISITION [VOLUME] [options]",
      "Compares a stitched volume with what the simulated microscope looked at. Ends with exit code 1 when "
      "a limit is passed.");
  Typed typed;
  TruthCheckSettings settings;
  CommonOptions common;
  declare(line, typed, settings);
  line.group("Machine");
  line.integer({"n-workers,workers", "N", "threads; 0 means one per core"}, common.workers, {0, 4096});
  typed.plugins.add_general(line);
  add_general_options(line, common);
  if (!line.parse(call.arguments)) return kDone;
  if (typed.full) settings.blocks = 0;
  if (!typed.origin.empty()) settings.origin_um = origin_of(typed.origin);
  settings.corrections = corrections_of(typed.corrected);
  settings.seed = static_cast<std::uint64_t>(typed.seed);
  std::vector<TrueTile> tiles = tiles_of(typed.paths[0], typed.channel);
  std::optional<PositionCheck> positions;
  if (!typed.alignment.empty()) positions = apply_alignment(typed.alignment, tiles);
  if (positions) settings.everything_um = positions->mean_um;
  if (typed.interpolate == "linear") settings.interpolation = Interpolation::linear;
  if (typed.paths.size() < 2) return show_positions(typed, tiles, positions);
  Session session(common, *call.cancel);
  typed.plugins.resolve(session, {Kind::volume_reader});
  const auto volume =
      open_volume(session.registry(), session.host(), typed.plugins.get().volume_reader, typed.paths[1]);
  const TruthReport report =
      check_truth(tiles, {volume.get(), {}}, settings, session.executor(), session.progress());
  const std::vector<std::string> found =
      complaints(report, typed.limits, positions ? Placing::aligned : Placing::by_stage);
  std::fputs(
      (typed.json ? as_json(report, found, positions) : positions_text(positions) + as_text(report, found))
          .c_str(),
      stdout);
  return found.empty() ? kDone : kFailed;
}

}  // namespace spim::cli
