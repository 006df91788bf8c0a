#pragma once
/// One volume written in several formats at the same time.

#include <memory>
#include <string>
#include <vector>

#include "spim/volume_writer.hpp"

namespace spim {

/// One of the formats.
struct FanOutBranch {
  std::unique_ptr<VolumeWriter> writer;
  std::string prefix;  ///< in front of the names of its files, so that they count from the first one's path
};

/// Gives every chunk to all of `branches`, of which there is at least one; each writes in a place of its own.
/// All have the chunks that the first one chooses: chunk_shape() throws UsageError when another one cannot
/// have them. A unit is the least box made of whole units of all; 0 when one of them cannot be written in
/// parts. What is read back or described is the first. [as the strictest of the writers]
std::unique_ptr<VolumeWriter> fan_out(std::vector<FanOutBranch> branches);

}  // namespace spim
