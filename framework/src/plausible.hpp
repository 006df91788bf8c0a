#pragma once
/// Checks what plugins say of their data before anything is computed with it.

#include <string>

#include "spim/frame_reader.hpp"
#include "spim/volume_reader.hpp"
#include "spim/volume_writer.hpp"

namespace spim {

/// Each returns what is wrong, or "" when every size is positive and every product of sizes fits 64 bits.
std::string stack_fault(const StackInfo& info);
std::string volume_fault(const VolumeInfo& info);
std::string level_fault(const LevelInfo& level);
std::string chunk_fault(Index3 chunk);

/// As stack_fault() for what the host asks a writer for; a chunk of 0 is allowed.
std::string spec_fault(const VolumeSpec& spec);

}  // namespace spim
