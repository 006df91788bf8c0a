// The kinds that compute: destripers and aligners.

#include <fmt/format.h>

#include <cmath>

#include "recipe.hpp"
#include "spim/host/instances.hpp"

namespace spim {
namespace {

class SharedDestriper final : public Destriper {
 public:
  explicit SharedDestriper(Recipe recipe) : pool_(std::move(recipe)) {}

  void apply(ImageView<float> frame) override {
    pool_.use([&] { return fmt::format("frame of {} x {}", frame.rows, frame.columns); },
              [&](Destriper& destriper) { destriper.apply(frame); });
  }

 private:
  InstancePool<Destriper> pool_;
};

/// Passes on samples that can be computed with.
class CheckedSink final : public ShiftSink {
 public:
  explicit CheckedSink(ShiftSink& sink) : sink_(sink) {}

  void add(const ShiftSample& sample) override {
    constexpr double kRounding = 1e-6;  // of a correlation that was computed in float32
    for (const double v :
         {sample.at.x, sample.at.y, sample.at.z, sample.shift.x, sample.shift.y, sample.shift.z})
      if (!std::isfinite(v)) throw Error("it found a shift that is not a number");
    if (!(std::abs(sample.correlation) <= 1 + kRounding) ||
        !(sample.confidence >= 0 && sample.confidence <= 1))
      throw Error(
          fmt::format("it found a shift with correlation {} and confidence {}, the limits are -1 to 1 and "
                      "0 to 1",
                      sample.correlation, sample.confidence));
    sink_.add(sample);
  }

 private:
  ShiftSink& sink_;
};

class SharedAligner final : public Aligner {
 public:
  explicit SharedAligner(Recipe recipe) : pool_(std::move(recipe)) {}

  void align(const AlignTask& task, ShiftSink& sink) override {
    CheckedSink checked(sink);
    pool_.use(
        [&] {
          const Vec3 guess = task.guess_voxels;
          return fmt::format("pair of tiles {:.1f},{:.1f},{:.1f} voxels apart", guess.x, guess.y, guess.z);
        },
        [&](Aligner& aligner) { aligner.align(task, checked); });
  }

 private:
  InstancePool<Aligner> pool_;
};

}  // namespace

std::unique_ptr<Destriper> create_destriper(const Registry& registry, Host& host,
                                            const Selection& selection) {
  return std::make_unique<SharedDestriper>(make_recipe(registry, host, Kind::destriper, selection, {}));
}

std::unique_ptr<Aligner> create_aligner(const Registry& registry, Host& host, const Selection& selection) {
  return std::make_unique<SharedAligner>(make_recipe(registry, host, Kind::aligner, selection, {}));
}

}  // namespace spim
