#pragma once
/// A Blosc-1 frame of 16-bit samples whose two byte planes are compressed each in its own way.
///
/// Blosc compresses what it shuffled with one setting for everything. The low bytes of camera counts are
/// noise: matches are not worth looking for, but the code of the entropy coder should follow the brightness
/// from place to place. The high bytes are few values in long runs: there a longer search pays. A frame may
/// store the byte planes of a block apart ("split", in the words of the format), so each gets the search that
/// suits it; what comes out is smaller and faster than any one setting, and every Blosc-1 decoder reads it.
/// Figures: docs/performance.md, section Codec. Format: README_CHUNK_FORMAT.rst of c-blosc.

#include <cstddef>
#include <span>

#include "common/scratch.hpp"

namespace spim::chunked {

/// Smallest frame worth cutting into planes, bytes.
inline constexpr std::size_t kLeastPlanesBytes = 4096;

/// One Blosc-1 frame (zstd, byte shuffle, item size 2) of `bytes`: an even number ≥ kLeastPlanesBytes and ≤
/// kLargestChunkBytes. `level` 1 … 9: how long matches are looked for. Points into `scratch`. Throws Error
/// when zstd refuses. [any thread, each with its own scratch]
std::span<const std::byte> zstd_planes_encode(int level, std::span<const std::byte> bytes, Scratch& scratch);

}  // namespace spim::chunked
