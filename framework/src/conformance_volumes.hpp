#pragma once
/// Reading of boxes for the suites of volumes.

#include <cstdint>
#include <vector>

#include "spim/volume_reader.hpp"

namespace spim {

/// The voxels of `box`, dense, read through a view with padding on every axis. Throws Error when the reader
/// writes into the padding.
std::vector<std::uint16_t> read_box(VolumeReader& reader, std::int32_t level, const Box& box);

/// Boxes inside `whole` of many positions and sizes: single voxels, rows, planes, everything.
std::vector<Box> some_boxes(const Box& whole);

/// Throws Error unless the dense voxels of `part` are those of `whole_box`, in which it lies.
void expect_part(const std::vector<std::uint16_t>& voxels, const Box& part,
                 const std::vector<std::uint16_t>& whole, const Box& whole_box);

}  // namespace spim
