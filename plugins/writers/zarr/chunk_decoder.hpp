#pragma once
/// Decodes a chunk of a Zarr v2 array, whoever wrote it.

#include <cstddef>
#include <span>

#include "array_metadata.hpp"
#include "common/scratch.hpp"

namespace spim::zarr {

/// The `size` bytes that `stored` decodes to; in `scratch`, or `stored` itself when nothing is compressed.
/// Throws Error (without a subject) when it is damaged or holds any other number of bytes. [any thread]
const std::byte* decode_chunk(Compressor compressor, std::span<const std::byte> stored, std::size_t size,
                              chunked::Scratch& scratch);

}  // namespace spim::zarr
