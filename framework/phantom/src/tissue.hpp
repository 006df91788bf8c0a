#pragma once
/// The objects of the phantom, drawn on a plane. Lengths in units of the phantom's scale (µm at scale 1).

#include <cstdint>

#include "phantom/phantom.hpp"
#include "plane_frame.hpp"

namespace spim {

/// What the objects depend on.
struct Tissue {
  std::uint64_t seed = 0;
  int channel = 0;
  double scale = 1;
  std::int64_t repeat = 0;  ///< period in units of kRepeatUnit, 0 for none
};

/// Every grid and the texture's lattice divide this length, so that a multiple of it can be a period.
inline constexpr double kRepeatUnit = 80;

/// Adds the cells that touch the plane to `image` (plane.rows by plane.columns).
void draw_cells(const Tissue& tissue, const PlaneFrame& frame, ImageView<float> image);

/// Raises `image` to the brightness of the processes (axons, dendrites) that touch the plane. A maximum, not
/// a sum: the joints of a process are then as bright as the rest of it.
void draw_processes(const Tissue& tissue, const PlaneFrame& frame, ImageView<float> image);

}  // namespace spim
