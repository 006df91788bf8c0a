#pragma once
/// A synthetic acquisition with known truth.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "spim/geometry.hpp"
#include "spim/host/executor.hpp"
#include "spim/host/oblique_geometry.hpp"
#include "spim/host/progress.hpp"
#include "spim/image.hpp"

namespace spim {

/// Tissue that can be asked for its intensity anywhere: cells of several sizes, processes, background. A pure
/// function of position, seed and channel.
class Phantom {
 public:
  Phantom(std::uint64_t seed, int channel);
  ~Phantom();
  Phantom(Phantom&&) noexcept;
  /// Grey levels above the camera offset at `at` (µm), before the optics of a frame.
  float intensity(Vec3 at) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spim
