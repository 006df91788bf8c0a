#include "spim/host/percentile_image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "page_arena.hpp"
#include "percentile_kernel.hpp"
#include "phantom/hash.hpp"
#include "program_bytes.hpp"

namespace spim {

namespace {

using detail::BinRule;
using detail::kPixelBlock;

/// Levels are counted in every sample of up to so many, and in every kSparse-th of more: counting all of a
/// large sample would take as long as reading it.
constexpr std::int64_t kFewSamples = std::int64_t{1} << 24;
constexpr std::int64_t kSparse = 61;

/// Frames that are read before they are counted into histograms, which are then touched once for all of them.
constexpr std::int64_t kBatch = 64;

constexpr std::int64_t kLevels = 65536;

/// What each worker keeps: levels met, and the samples of a block of pixels.
std::int64_t worker_bytes(std::int64_t frames) {
  return kLevels * 8 + frames * kPixelBlock * 2;
}

BinRule rule_of(const PercentileSettings& settings) {
  return {settings.percentile, settings.bins, settings.values_per_bin, settings.background};
}

void check(const PercentileSettings& s) {
  if (!(s.percentile >= 0 && s.percentile <= 100))
    throw UsageError(fmt::format("a percentile of {} does not exist; choose 0 to 100", s.percentile));
  if (s.bins < 2 || s.bins > kLevels)
    throw UsageError(fmt::format("a histogram of {} bins is not possible; choose 2 to 65536", s.bins));
  if (s.values_per_bin < 1 || s.values_per_bin > kLevels)
    throw UsageError(fmt::format("{} values per bin are not possible; choose 1 to 65536", s.values_per_bin));
  if (s.background < 0 || s.background >= kLevels)
    throw UsageError(fmt::format("a background of {} is not a grey level; choose 0 to 65535", s.background));
}

/// The shape that all stacks have.
StackInfo common_shape(std::span<const CameraStack> stacks) {
  if (stacks.empty()) throw UsageError("there is no camera file to measure; name at least one");
  const StackInfo first = stacks.front().frames->info();
  for (const CameraStack& stack : stacks) {
    const StackInfo info = stack.frames->info();
    if (info.frames < 1) throw Error(fmt::format("{} holds no whole frame; leave it out", stack.name));
    if (info.rows != first.rows || info.columns != first.columns)
      throw Error(fmt::format(
          "{} has frames of {} rows x {} columns, {} of {} x {}; measure files of one shape at a time",
          stack.name, info.rows, info.columns, stacks.front().name, first.rows, first.columns));
  }
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 31;
  if (first.rows < 1 || first.columns < 1 || first.rows > kMostPixels / first.columns)
    throw Error(fmt::format("{} has frames of {} rows x {} columns, which cannot be measured",
                            stacks.front().name, first.rows, first.columns));
  return first;
}

/// Calls body(first pixel, pixels) for blocks of a row of `count` pixels, on all workers.
template <class Body>
void for_pixel_blocks(std::int64_t count, const Executor& executor, const Body& body) {
  constexpr std::int64_t kShare = 64;  // blocks at a time
  const std::int64_t blocks = ceil_div(count, kPixelBlock);
  executor.parallel_for(ceil_div(blocks, kShare), [&](std::int64_t share, int worker) {
    for (std::int64_t b = share * kShare; b < std::min((share + 1) * kShare, blocks); ++b)
      body(b * kPixelBlock, std::min(kPixelBlock, count - b * kPixelBlock), worker);
  });
}

/// Reads bands of rows of the sampled frames and takes percentiles of them.
class PercentileScan {
 public:
  PercentileScan(std::span<const CameraStack> stacks, std::span<const SampledFrame> sample,
                 const PercentileSettings& settings, const Executor& executor, Progress& progress)
      : stacks_(stacks),
        sample_(sample),
        rule_(rule_of(settings)),
        info_(common_shape(stacks)),
        plan_(plan_percentile(stacks, frames(), settings, executor)),
        executor_(&executor),
        progress_(&progress),
        sparse_(info_.rows * info_.columns > kFewSamples / std::max<std::int64_t>(frames(), 1) ? kSparse : 1),
        levels_(static_cast<std::size_t>(executor.workers()), std::vector<std::uint64_t>(kLevels)) {
    const std::int64_t held = plan_.store == SampleStore::values ? frames() : std::min(kBatch, frames());
    slots_ = detail::PageArena(held * band_pixels(plan_.band_rows) * 2, detail::Pages::huge);
  }

  PercentileImage run() {
    PercentileImage image{OwnedImage<std::uint16_t>(info_.rows, info_.columns),
                          std::vector<std::uint64_t>(kLevels)};
    progress_->begin("reading frames", frames() * info_.rows * info_.columns * bytes_of(info_.type));
    for (first_row_ = 0; first_row_ < info_.rows; first_row_ += plan_.band_rows) {
      rows_ = std::min(plan_.band_rows, info_.rows - first_row_);
      std::uint16_t* const out = image.bins.view().row(first_row_);
      if (plan_.store == SampleStore::values)
        from_values(out);
      else if (frames() <= std::numeric_limits<std::uint16_t>::max())
        from_histograms<std::uint16_t>(out);
      else
        from_histograms<std::uint32_t>(out);
    }
    progress_->end();
    for (const auto& part : levels_)
      for (std::size_t v = 0; v < part.size(); ++v) image.levels[v] += part[v];
    return image;
  }

 private:
  std::int64_t frames() const { return static_cast<std::int64_t>(sample_.size()); }
  std::int64_t band_pixels(std::int64_t rows) const { return rows * info_.columns; }
  std::uint16_t* slot(std::int64_t i) const {
    return reinterpret_cast<std::uint16_t*>(slots_.data()) + i * band_pixels(rows_);
  }

  /// Reads the band of sampled frames [first, first + count) into slots 0 ….
  void read(std::int64_t first, std::int64_t count) {
    executor_->parallel_for(count, [&](std::int64_t i, int worker) {
      const SampledFrame& frame = sample_[static_cast<std::size_t>(first + i)];
      stacks_[frame.stack].frames->read(frame.frame, first_row_,
                                        {slot(i), rows_, info_.columns, info_.columns});
      count_levels(first + i, slot(i), levels_[static_cast<std::size_t>(worker)]);
      progress_->advance(band_pixels(rows_) * bytes_of(info_.type));
    });
  }

  /// Which samples are counted depends on their place in the frame alone, not on the band.
  void count_levels(std::int64_t frame, const std::uint16_t* samples,
                    std::vector<std::uint64_t>& levels) const {
    const std::int64_t place = band_pixels(first_row_) + frame * 17;
    for (std::int64_t i = (sparse_ - place % sparse_) % sparse_; i < band_pixels(rows_); i += sparse_)
      ++levels[samples[i]];
  }

  void from_values(std::uint16_t* out) {
    read(0, frames());
    std::vector<std::vector<std::uint16_t>> scratch(static_cast<std::size_t>(executor_->workers()));
    for_pixel_blocks(band_pixels(rows_), *executor_, [&](std::int64_t first, std::int64_t count, int worker) {
      detail::percentile_bins({slot(0) + first, band_pixels(rows_), frames(), count}, rule_,
                              scratch[static_cast<std::size_t>(worker)], out + first);
    });
  }

  template <class Count>
  void from_histograms(std::uint16_t* out) {
    const std::int64_t pixels = band_pixels(rows_);
    const auto bins = static_cast<std::size_t>(rule_.bins);
    const detail::PageArena arena(pixels * rule_.bins * static_cast<std::int64_t>(sizeof(Count)),
                                  detail::Pages::huge);
    auto* const counts = reinterpret_cast<Count*>(arena.data());
    std::vector<std::uint16_t> bin_of(kLevels);
    for (std::int64_t v = 0; v < kLevels; ++v)
      bin_of[static_cast<std::size_t>(v)] =
          static_cast<std::uint16_t>(std::min(v / rule_.values_per_bin, rule_.bins - 1));
    for (std::int64_t f = 0; f < frames(); f += kBatch) {
      const std::int64_t batch = std::min(kBatch, frames() - f);
      read(f, batch);
      for_pixel_blocks(pixels, *executor_, [&](std::int64_t first, std::int64_t count, int) {
        for (std::int64_t p = first; p < first + count; ++p) {
          Count* const histogram = counts + static_cast<std::size_t>(p) * bins;
          for (std::int64_t i = 0; i < batch; ++i) {
            const std::uint16_t value = slot(i)[p];
            if (value >= rule_.background) ++histogram[bin_of[value]];
          }
        }
      });
    }
    for_pixel_blocks(pixels, *executor_, [&](std::int64_t first, std::int64_t count, int) {
      for (std::int64_t p = first; p < first + count; ++p)
        out[p] = detail::percentile_bin(
            std::span<const Count>(counts + static_cast<std::size_t>(p) * bins, bins), rule_);
    });
  }

  std::span<const CameraStack> stacks_;
  std::span<const SampledFrame> sample_;
  BinRule rule_;
  StackInfo info_;
  PercentilePlan plan_;
  const Executor* executor_;
  Progress* progress_;
  std::int64_t sparse_;
  std::vector<std::vector<std::uint64_t>> levels_;  ///< per worker
  detail::PageArena slots_;
  std::int64_t first_row_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace

std::vector<SampledFrame> sample_frames(std::span<const CameraStack> stacks, std::int64_t wanted,
                                        std::uint64_t seed) {
  std::int64_t left = 0;
  for (const CameraStack& stack : stacks)
    if (__builtin_add_overflow(left, stack.frames->info().frames, &left))
      throw Error(fmt::format("{} says that it has {} frames, which is more than can be counted", stack.name,
                              stack.frames->info().frames));
  std::int64_t needed = wanted <= 0 ? left : std::min(wanted, left);
  std::vector<SampledFrame> sample;
  sample.reserve(static_cast<std::size_t>(needed));
  // Selection sampling (Knuth, The Art of Computer Programming 2, algorithm 3.4.2S).
  Draw draw(subkey(seed, 1));
  for (std::size_t s = 0; s < stacks.size() && needed > 0; ++s)
    for (std::int64_t f = 0; f < stacks[s].frames->info().frames && needed > 0; ++f, --left)
      if (draw.uniform() * static_cast<double>(left) < static_cast<double>(needed)) {
        sample.push_back({s, f});
        --needed;
      }
  return sample;
}

PercentilePlan plan_percentile(std::span<const CameraStack> stacks, std::int64_t sampled,
                               const PercentileSettings& settings, const Executor& executor) {
  check(settings);
  const StackInfo info = common_shape(stacks);
  constexpr std::int64_t kMostFrames = std::int64_t{1} << 31;
  if (sampled < 1 || sampled > kMostFrames)
    throw UsageError(fmt::format("{} frames cannot be sampled; choose 1 to {}", sampled, kMostFrames));
  const std::int64_t counter = sampled <= std::numeric_limits<std::uint16_t>::max() ? 2 : 4;
  const std::int64_t histogram = settings.bins * counter + std::min(kBatch, sampled) * 2;
  const bool values = sampled * 2 <= histogram && sampled <= std::numeric_limits<std::uint16_t>::max();
  PercentilePlan plan;
  plan.store = values ? SampleStore::values : SampleStore::histograms;
  const std::int64_t row = info.columns * (values ? sampled * 2 : histogram);
  const std::int64_t fixed = info.rows * info.columns * 2 + kLevels * 10 +
                             executor.workers() * worker_bytes(values ? sampled : 0) +
                             detail::program_bytes(settings.memory_bytes);
  const std::int64_t rows = (settings.memory_bytes - fixed) / row;
  if (settings.memory_bytes < fixed || rows < 1)
    throw Error(fmt::format(
        "{} frames of {} rows x {} columns need at least {} MiB of memory, {} MiB are "
        "allowed; raise --memory or lower --n-frames",
        sampled, info.rows, info.columns, ((fixed + row) >> 20) + 1, settings.memory_bytes >> 20));
  const std::int64_t bands = ceil_div(info.rows, std::min(rows, info.rows));
  plan.band_rows = ceil_div(info.rows, bands);
  plan.memory_bytes = fixed + plan.band_rows * row;
  return plan;
}

PercentileImage percentile_image(std::span<const CameraStack> stacks, std::span<const SampledFrame> sample,
                                 const PercentileSettings& settings, const Executor& executor,
                                 Progress& progress) {
  return PercentileScan(stacks, sample, settings, executor, progress).run();
}

}  // namespace spim
