#pragma once
/// Boxes of volumes and the test pattern, for the suites of volumes.

#include <cstdint>
#include <vector>

#include "spim/volume_reader.hpp"
#include "spim/volume_writer.hpp"

namespace spim {

/// The voxels of `box`, dense, read through a view with padding on every axis. Throws Error when the reader
/// writes into the padding.
std::vector<std::uint16_t> read_box(VolumeReader& reader, std::int32_t level, const Box& box);

/// Boxes inside `whole` of many positions and sizes: single voxels, rows, planes, everything.
std::vector<Box> some_boxes(const Box& whole);

/// Throws Error unless the dense voxels of `part` are those of `whole_box`, in which it lies.
void expect_part(const std::vector<std::uint16_t>& voxels, const Box& part,
                 const std::vector<std::uint16_t>& whole, const Box& whole_box);

/// A volume to write, with a pitch and an origin that no format could make up.
VolumeSpec spec_of(Index3 shape, Index3 chunk, std::int32_t levels);
/// All chunks of all levels of `spec`, whose chunk is the real one, in an order without pattern.
std::vector<ChunkAddress> chunks_of(const VolumeSpec& spec);
/// The voxels of a chunk.
Box box_of(const VolumeSpec& spec, const ChunkAddress& chunk);
/// Whether the test pattern has a chunk of zeros there: every third one, the first one not.
bool is_zero(const ChunkAddress& chunk);
/// The dense test pattern of a chunk: different everywhere, and nowhere 0 but in the chunks that are zero.
std::vector<std::uint16_t> voxels_of(const VolumeSpec& spec, const ChunkAddress& chunk);

}  // namespace spim
