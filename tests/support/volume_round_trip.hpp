#pragma once
/// Volumes with known voxels, pushed through writers and pulled out of readers.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "spim/host.hpp"
#include "spim/volume_reader.hpp"
#include "spim/volume_writer.hpp"

namespace spim::test {

/// The voxel of a level: any function of the position.
using VoxelFunction = std::function<std::uint16_t(std::int32_t level, Index3 at)>;

/// Different at every place and level; up to `largest`.
VoxelFunction scrambled(std::uint16_t largest);

/// Calls begin, write for every chunk of every level (write_zero where all voxels are zero) on `threads`
/// threads in a scrambled order, and finish.
void write_volume(VolumeWriter& writer, VolumeSpec spec, const VoxelFunction& voxel, int threads = 1);

/// Reads `box` of a level into a view with gaps between rows and planes, and compares every voxel; returns ""
/// or a description of the first difference.
std::string difference(VolumeReader& reader, std::int32_t level, const Box& box, const VoxelFunction& voxel);

/// The same for all voxels of all levels, and for a few boxes inside; also compares the shapes.
std::string difference(VolumeReader& reader, const VolumeSpec& spec, const VoxelFunction& voxel);

/// Remembers what a plugin describes, as text.
class Described final : public MetadataSink {
 public:
  void text(std::string_view key, std::string_view value) override { values[std::string(key)] = value; }
  void integer(std::string_view key, std::int64_t value) override {
    values[std::string(key)] = std::to_string(value);
  }
  void number(std::string_view key, double value) override {
    values[std::string(key)] = std::to_string(value);
  }
  std::map<std::string, std::string> values;
};

}  // namespace spim::test
