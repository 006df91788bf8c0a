#pragma once
/// How TIFF files begin.

#include <cstdint>

namespace spim::tiff {

/// How sure a reader is that a file which begins with `head` is TIFF, 0 … 100.
int sure_of_head(const unsigned char* head, std::uint64_t head_size) noexcept;
/// The same for a file; 0 when it cannot be read.
int sure_of_file(const char* path) noexcept;

}  // namespace spim::tiff
