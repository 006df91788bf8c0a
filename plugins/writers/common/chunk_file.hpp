#pragma once
/// Files that hold one encoded chunk each.

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/file.hpp"
#include "common/scratch.hpp"

namespace spim::chunked {

/// The whole of `file`, in `scratch`. Throws Error unless it has 1 to `most` bytes.
std::span<const std::byte> read_chunk_file(const File& file, std::uint64_t most, Scratch& scratch);

}  // namespace spim::chunked
