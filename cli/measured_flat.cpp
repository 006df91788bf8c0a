#include "measured_flat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "spim/host/illumination.hpp"
#include "spim/host/metered_frames.hpp"
#include "spim/host/publication.hpp"
#include "spim/host/tiff_image.hpp"

namespace spim::cli {

namespace {

/// What the original pipeline asks for.
constexpr std::int64_t kFrames = 5000;
constexpr int kDeflate = 3;
/// Samples so near the dark level are noise without light. As far apart as the defaults of
/// oblique-illum-corr.
constexpr std::int64_t kNoise = 50;

IlluminationSettings settings_of(const StitchRequest& request) {
  IlluminationSettings settings;
  settings.frames = kFrames;
  settings.percentile.background =
      std::min<std::int64_t>(std::llround(request.stack.corrections.dark) + kNoise, 65535);
  settings.percentile.memory_bytes = request.common.memory();
  settings.orientation = {static_cast<int>(request.stack.rotate_90), request.stack.flip_ud};
  settings.dark = request.stack.corrections.dark;
  return settings;
}

/// Enlarges a profile as the frames that it is for.
void magnify(Session& session, const StitchRequest& request, OwnedImage<float>& profile) {
  CorrectionOptions only;
  only.magnification = request.stack.corrections.magnification;
  only.magnification_center = request.stack.corrections.magnification_center;
  Correctors(session, {}, only).for_shape(profile.rows, profile.columns)->apply(profile.view());
}

}  // namespace

void measure_flat(Session& session, const StitchRequest& request, const std::vector<TilePath>& tiles,
                  const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error) && !request.common.overwrite)
    throw Error(fmt::format(
        "{} exists already; use it with --flat (ILLUM_CORR), or give --overwrite to measure it again",
        path.string()));
  std::vector<std::filesystem::path> inputs{request.stitch.input};
  for (const TilePath& tile : tiles) inputs.push_back(tile.path);
  Publication publication(path, request.common.overwrite, inputs);
  StackOptions as_stored = request.stack;
  as_stored.corrections = {};
  Selections plugins = request.plugins.get();
  plugins.destripe = {};
  const StackOpener opener(session, plugins, as_stored);
  std::vector<CameraStack> stacks;
  for (const TilePath& tile : tiles)
    stacks.push_back({tile.path.string(), counted_reader(opener.open_stored(tile.path), session.stages())});
  Illumination result;
  try {
    result = measure_illumination(stacks, settings_of(request), session.executor(), session.progress());
  } catch (const Cancelled&) {
    throw;
  } catch (const Error& failure) {
    throw Error(
        fmt::format("{}: the illumination cannot be measured: {}; or give a profile with --flat "
                    "(ILLUM_CORR), or --flat none",
                    request.stitch.input, failure.what()));
  }
  magnify(session, request, result.profile);
  write_tiff(publication.path(), std::as_const(result.profile).view(),
             {kDeflate, fmt::format("{{\"shape\": [{}, {}]}}", result.profile.rows, result.profile.columns)},
             path);
  publication.commit();
  if (request.common.silent) return;
  const auto [least, most] = std::ranges::minmax_element(result.profile.samples);
  fmt::print("{}: illumination from {} frames, darkest over brightest {:.3f}\n", path.string(), result.frames,
             *least / *most);
}

}  // namespace spim::cli
