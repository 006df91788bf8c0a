#include "phase.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "common/attempts.hpp"
#include "common/triple.hpp"
#include "phase_peaks.hpp"

namespace spim {

using namespace alignment;

namespace {

constexpr std::int64_t kLargestWindow = 1001;

struct Settings {
  Vec3 sigma;
  Index3 window, search;
  std::size_t peaks;
};

Index3 times(Index3 a, Index3 b) {
  return {a.x * b.x, a.y * b.y, a.z * b.z};
}

/// Voxels per cell: coarse enough that the moving window has few cells, which is what transforms cost.
Index3 coarse_step(Index3 voxels) {
  constexpr std::int64_t kMostCells = 72;
  return max({1, 1, 1}, ceil_div(voxels, {kMostCells, kMostCells, kMostCells}));
}

/// The maximum with the best correlation, and the score of the next one elsewhere.
struct Coarse {
  Summit best;
  double second = -1;
  double samples = 0;
};

/// Tests the highest phase correlations. Maxima closer than three cells to the best are its flanks.
std::optional<Coarse> tested(const Cells& fixed, const Cells& moving, double samples, std::size_t peaks) {
  constexpr std::int64_t kFlank = 3;
  const Correlator correlator(fixed, moving);
  Survey survey(correlator, samples);
  std::vector<Summit> summits;
  for (const Index3 shift : phase_peaks(fixed, moving, peaks)) summits.push_back(survey.climb(shift));
  if (summits.empty()) return {};
  Coarse coarse{summits.front(), -1, samples};
  for (const Summit& s : summits)
    if (s.score > coarse.best.score) coarse.best = s;
  for (const Summit& s : summits) {
    const Index3 d = s.shift - coarse.best.shift;
    if (std::max({std::abs(d.x), std::abs(d.y), std::abs(d.z)}) > kFlank)
      coarse.second = std::max(coarse.second, s.score);
  }
  if (coarse.best.score <= 0) return {};
  return coarse;
}

/// Where the fixed window is brightest among the cells that meet data in the moving one.
std::optional<Index3> bright_cell(const Cells& fixed, const Cells& moving, Index3 shift) {
  const Index3 reach{(moving.size.x - fixed.size.x) / 2, (moving.size.y - fixed.size.y) / 2,
                     (moving.size.z - fixed.size.z) / 2};
  std::optional<Index3> best;
  float most = 0;
  for (std::int64_t z = 0; z < fixed.size.z; ++z)
    for (std::int64_t y = 0; y < fixed.size.y; ++y)
      for (std::int64_t x = 0; x < fixed.size.x; ++x) {
        const Index3 c{x, y, z};
        const auto i = static_cast<std::size_t>(fixed.at(c));
        const auto j = static_cast<std::size_t>(moving.at(c + reach - shift));
        const float here = fixed.value[i] * std::min(fixed.weight[i], moving.weight[j]);
        if (here > most) {
          most = here;
          best = c;
        }
      }
  return best;
}

/// One task at work.
class Measurement {
 public:
  Measurement(const AlignTask& task, const Settings& settings)
      : task_(task), settings_(settings), overlap_(task) {
    // A tile that is displaced may overlap more than it should; of what lies far beyond the overlap most has
    // no counterpart.
    const Box box = overlap_.box();
    const Index3 more{box.size().x / 2, box.size().y / 2, box.size().z / 2};
    around_ = intersect({box.begin - more, box.end + more}, {{}, task.fixed->shape()});
  }

  bool empty() const noexcept { return overlap_.empty(); }

  std::vector<Place> places(std::int64_t count) const {
    return roomy_places(overlap_, settings_.window, task_.seed, {0, count});
  }

  std::optional<ShiftSample> attempt(const Place& place) const {
    const Box wanted = intersect(window_around(place.centre, settings_.window), around_);
    Patch fixed = read_patch(*task_.fixed, wanted);
    if (fixed.box.empty()) return {};
    overlap_.cut(fixed, std::llround(overlap_.thickness().x / 2));
    const Index3 middle =
        fixed.box.begin + Index3{fixed.box.size().x / 2, fixed.box.size().y / 2, fixed.box.size().z / 2};
    const Index3 step = coarse_step(fixed.box.size() + settings_.search + settings_.search);
    const Lattice lattice = lattice_around(middle, fixed.box.size(), step);
    const Lattice there = moved(lattice, overlap_.offset(), ceil_div(settings_.search, step));
    const Patch moving = read_patch(*task_.moving, covered(there, smoothing_margin(settings_.sigma)));
    if (moving.box.empty()) return {};
    return compare(fixed, moving, lattice, there);
  }

 private:
  std::optional<ShiftSample> compare(const Patch& fixed, const Patch& moving, const Lattice& lattice,
                                     const Lattice& there) const {
    constexpr double kSigmasPerCell = 0.75;
    const Index3 step = lattice.step;
    const Vec3 sigma{kSigmasPerCell * static_cast<double>(step.x),
                     kSigmasPerCell * static_cast<double>(step.y),
                     kSigmasPerCell * static_cast<double>(step.z)};
    const Cells here = smooth(fixed, lattice, sigma), around = smooth(moving, there, sigma);
    const std::optional<Coarse> coarse =
        tested(here, around, independent_samples(here, step, sigma), settings_.peaks);
    if (!coarse) return {};
    const std::optional<Index3> cell = bright_cell(here, around, coarse->best.shift);
    if (!cell) return {};
    const Expectation expected{lattice.origin + times(step, *cell),
                               overlap_.offset() + times(step, coarse->best.shift)};
    return refined(fixed, moving, expected, *coarse, step);
  }

  /// The shift to fractions of a voxel, from a smaller window around a bright spot.
  std::optional<ShiftSample> refined(const Patch& fixed, const Patch& moving, const Expectation& expected,
                                     const Coarse& coarse, Index3 step) const {
    constexpr std::int64_t kFineWindow = 41;
    const Index3 window = min(settings_.window, {kFineWindow, kFineWindow, kFineWindow});
    const Look seen = look(fixed, moving, expected, {settings_.sigma, window, step + step});
    if (seen.outcome != Outcome::found) return {};
    const Evidence& fine = seen.match.evidence;
    // The large window says which of several places it is, the small one where exactly.
    Evidence evidence = fine;
    evidence.score = coarse.best.score;
    evidence.second = coarse.second;
    evidence.samples = coarse.samples;
    evidence.agreement = std::min(fine.agreement, coarse.best.score);
    ShiftSample sample;
    const Index3 at = expected.centre;
    sample.at = {static_cast<double>(at.x), static_cast<double>(at.y), static_cast<double>(at.z)};
    sample.shift = seen.match.position - task_.guess_voxels;
    sample.correlation = fine.correlation;
    sample.confidence = confidence(evidence);
    return sample;
  }

  const AlignTask& task_;
  const Settings& settings_;
  Overlap overlap_;
  Box around_;  ///< voxels of the fixed tile that windows are cut from
};

}  // namespace

PhaseAligner::PhaseAligner(Host& host, const Options& options)
    : host_(host),
      sigma_um_(options.number("sigma")),
      sample_count_(options.integer("sample-count")),
      window_(triple(options, "window-size", {9, kLargestWindow, true})),
      search_(triple(options, "search-size", {1, kLargestWindow, false})),
      peaks_(static_cast<std::size_t>(options.integer("peaks"))),
      min_correlation_(options.number("min-correlation")) {}

void PhaseAligner::align(const AlignTask& task, ShiftSink& sink) {
  const Settings settings{in_voxels(sigma_um_, task.voxel_um), window_, search_, peaks_};
  const Measurement measurement(task, settings);
  if (measurement.empty()) return;
  const auto samples = run_attempts(host_, measurement.places(sample_count_),
                                    [&](const Place& place) { return measurement.attempt(place); });
  for (const std::optional<ShiftSample>& sample : samples)
    if (sample && sample->correlation >= min_correlation_) sink.add(*sample);
}

}  // namespace spim
