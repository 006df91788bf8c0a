#pragma once
/// gzip and zlib streams in memory. Safe on any number of threads at once.

#include <cstddef>
#include <span>
#include <vector>

#include "common/scratch.hpp"

namespace spim::chunked {

/// One gzip member of `bytes` at `level` 0 (stored) to 9; in `scratch`.
std::span<const std::byte> gzip_encode(int level, std::span<const std::byte> bytes, Scratch& scratch);

/// The `size` bytes that `stored` (gzip of one or several members, or zlib) decodes to, in `scratch`. Throws
/// Error without a subject when it is damaged or holds any other number of bytes.
const std::byte* inflate_exactly(std::span<const std::byte> stored, std::size_t size, Scratch& scratch);

/// The same where the size is not known: at most `limit` bytes, above which it is an error.
std::vector<std::byte> inflate_at_most(std::span<const std::byte> stored, std::size_t limit);

}  // namespace spim::chunked
