#include "run_course.hpp"

#include <algorithm>

#include "run_options.hpp"

namespace spim::cli {

namespace {

// Orders of magnitude of one core of 2020; a run corrects them by its own pace.
constexpr double kRead = 1500e6, kSample = 250e6, kSimple = 600e6, kEncode = 180e6;  // bytes per second
constexpr double kWavelet = 75e6, kLightsheet = 300e6;
constexpr double kPair = 1.5, kPairBytes = 100e6;    // seconds; bytes of a tile per second
constexpr double kMostSampled = 5000.0 * (8 << 20);  // bytes
constexpr double kLevels = 0.03;                     // of the sweep
constexpr double kFinish = 1.5;                      // seconds

double correction_seconds(const StitchRequest& request, double bytes) {
  const std::string& destripe = request.plugins.get().destripe.id;
  double seconds = 0;
  if (!destripe.empty()) seconds += bytes / (destripe == "lightsheet" ? kLightsheet : kWavelet);
  const CorrectionOptions& corrections = request.stack.corrections;
  if (corrections.has_flat() || corrections.dark > 0) seconds += bytes / kSimple;
  return seconds;
}

}  // namespace

std::vector<Leg> course_of(const CourseRequest& request, int workers) {
  const double bytes = request.camera_bytes, cores = std::max(workers, 1);
  const double sweep =
      (bytes / kRead + bytes / kEncode + correction_seconds(request.stitching, bytes)) / cores;
  const double sampled = std::min(bytes, kMostSampled);
  const double illumination = request.illumination ? sampled / kSample / cores : 0;
  // Windows of fixed size, or all of a small overlap.
  const double tiles = static_cast<double>(std::max<std::size_t>(request.tiles, 1));
  const double pairs = 1.5 * tiles, pair = std::min(kPair, bytes / tiles / kPairBytes);
  std::vector<Leg> legs;
  const auto add = [&](Phase phase, double seconds, double camera_bytes) {
    legs.push_back({std::string(phase_word(phase)), seconds, camera_bytes});
  };
  if (request.illumination) add(Phase::illumination, illumination, 0);
  if (request.alignment) add(Phase::alignment, pair * pairs / cores, 0);
  if (request.sweep) {
    add(Phase::sweep, sweep * request.sweep_share, bytes * request.sweep_share);
    add(Phase::levels, sweep * kLevels, 0);
  }
  if (request.finish) add(Phase::finish, kFinish, 0);
  if (request.channels_after > 0)
    legs.push_back(
        {"channels after this one",
         static_cast<double>(request.channels_after) * (illumination + sweep * (1 + kLevels) + kFinish), 0});
  return legs;
}

}  // namespace spim::cli
