#include "pearson.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "blobs.hpp"
#include "common/attempts.hpp"
#include "common/draw.hpp"
#include "common/triple.hpp"

namespace spim {

using namespace alignment;

namespace {

constexpr std::int64_t kLargestWindow = 1001;

/// One task at work: draws places, looks for a bright spot at each, and matches the window around it.
class Measurement {
 public:
  struct Settings {
    MatchSettings match;
    Index3 blob_window;
    Vec3 blob_sigma;
  };

  Measurement(const AlignTask& task, const Settings& settings)
      : task_(task), settings_(settings), overlap_(task) {
    if (overlap_.empty()) return;
    settings_.match = fitted(settings_.match, overlap_);
    const Index3 margin = smoothing_margin(settings_.match.sigma);
    read_size_ = max(settings_.blob_window, grown(settings_.match.window, margin));
  }

  bool empty() const noexcept { return overlap_.empty(); }

  /// Says how much `windows` windows read.
  void announce(std::int64_t windows) const {
    const Index3 margin = settings_.match.border + smoothing_margin(settings_.match.sigma);
    task_.fixed->expect(windows * count(read_size_));
    task_.moving->expect(windows * count(grown(settings_.match.window, margin)));
  }

  std::vector<Place> places(IndexRange indices) const {
    return roomy_places(overlap_, grown(settings_.match.window, settings_.match.border), task_.seed, indices);
  }

  /// One try. Nothing when there is no bright spot to compare; a sample of correlation −1 when it is not
  /// found again.
  std::optional<ShiftSample> attempt(const Place& place) const {
    Draw draw = place.draw;
    const Patch patch = read_patch(*task_.fixed, window_around(place.centre, read_size_));
    if (patch.box.empty()) return {};
    const std::optional<Index3> spot = bright_spot(patch, place.centre, draw);
    if (!spot) return {};
    const std::optional<Match> match =
        alignment::match(patch, *task_.moving, {*spot, overlap_.offset()}, settings_.match);
    ShiftSample sample;
    sample.correlation = -1;
    if (!match) return sample;
    sample.at = {static_cast<double>(spot->x), static_cast<double>(spot->y), static_cast<double>(spot->z)};
    sample.shift = match->position - task_.guess_voxels;
    sample.correlation = match->evidence.correlation;
    sample.confidence = confidence(match->evidence);
    return sample;
  }

 private:
  /// One of the spots of the overlap whose window lies in the patch, with a probability in proportion to its
  /// strength.
  std::optional<Index3> bright_spot(const Patch& patch, Index3 centre, Draw& draw) const {
    const Index3 room = read_size_ - settings_.match.window + Index3{1, 1, 1};
    const Box where = intersect(window_around(centre, room), overlap_.box());
    std::vector<Blob> blobs = find_blobs(patch, where, settings_.blob_sigma);
    std::erase_if(blobs, [&](const Blob& blob) {
      return overlap_.voxels_in({blob.at, blob.at + Index3{1, 1, 1}}) == 0;
    });
    double sum = 0;
    for (const Blob& blob : blobs) sum += blob.strength;
    double left = sum * draw.uniform();
    for (const Blob& blob : blobs)
      if ((left -= blob.strength) <= 0) return blob.at;
    return {};
  }

  const AlignTask& task_;
  Settings settings_;
  Overlap overlap_;
  Index3 read_size_;  ///< of the fixed tile at a place
};

}  // namespace

PearsonAligner::PearsonAligner(Host& host, const Options& options)
    : host_(host),
      sigma_um_(options.number("sigma")),
      sample_count_(options.integer("sample-count")),
      window_(triple(options, "window-size", {3, kLargestWindow, true})),
      blob_window_(triple(options, "blob-detection-window-size", {3, kLargestWindow, false})),
      border_(triple(options, "border-size", {1, kLargestWindow, false})),
      min_correlation_(options.number("min-correlation")) {}

void PearsonAligner::align(const AlignTask& task, ShiftSink& sink) {
  constexpr double kBlobSigmaUm = 2;
  constexpr int kMostBatches = 4;
  const Measurement::Settings settings{{in_voxels(sigma_um_, task.voxel_um), window_, border_},
                                       blob_window_,
                                       in_voxels(kBlobSigmaUm, task.voxel_um)};
  const Measurement measurement(task, settings);
  if (measurement.empty()) return;
  measurement.announce(sample_count_);
  // Places without anything to compare are made up for by others; windows that are compared in vain are not:
  // where they do not agree, more of them cost much and say little.
  std::int64_t compared = 0;
  for (std::int64_t batch = 0; batch < kMostBatches && compared < sample_count_; ++batch) {
    const auto samples =
        run_attempts(host_, measurement.places({batch * sample_count_, (batch + 1) * sample_count_}),
                     [&](const Place& place) { return measurement.attempt(place); });
    for (const std::optional<ShiftSample>& sample : samples) {
      if (!sample || ++compared > sample_count_) continue;
      if (sample->confidence > 0 && sample->correlation >= min_correlation_) sink.add(*sample);
    }
  }
}

}  // namespace spim
