#pragma once
/// From light to counts: shot noise, read noise, rounding, saturation.

#include <cstdint>

#include "phantom/simulated_stack.hpp"

namespace spim {

/// The standard normal quantile of `p` in (0, 1).
double normal_quantile(double p) noexcept;

/// Pixels [first, first + count) of a frame: `signal` holds grey levels with the offset, `out` gets counts.
/// The noise of pixel n depends on `key` and n alone.
void add_noise(const CameraNoise& camera, std::uint64_t key, std::int64_t first, std::int64_t count,
               const float* signal, std::uint16_t* out) noexcept;

}  // namespace spim
