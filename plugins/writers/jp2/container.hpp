#pragma once
/// The JP2 container around a codestream (ITU-T T.800, annex I), and files of a bare codestream.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codestream.hpp"
#include "common/file.hpp"

namespace spim::jp2 {

/// Distance of two samples, micrometres; 0 where it is not known.
struct Pitch {
  double row_um = 0;     ///< between rows
  double column_um = 0;  ///< between columns
};

/// One file and what it holds.
struct PlaneFile {
  CodestreamHeader image;
  Pitch pitch;
  std::int64_t begin = 0;  ///< of the codestream in the file
  std::int64_t end = 0;
};

/// 100 for the first bytes of a JP2 file, 90 for those of a bare codestream, else 0.
int recognise(std::span<const std::byte> head) noexcept;

/// Reads the headers of `file` and sees whether the codestream is there to its end. Throws Error that begins
/// with the file's path: for what read_codestream_header() refuses, for palettes, and for files that are cut
/// short or still being written.
PlaneFile read_plane_file(const chunked::File& file);

/// Everything of a JP2 file that stands in front of its codestream. The length of the last box, of which this
/// is the beginning, is left open ("to the end of the file") until patch_length().
std::vector<std::byte> container_head(std::int64_t rows, std::int64_t columns, PixelType type,
                                      const Pitch& pitch);

/// Enters the length of the codestream behind a head of `head_size` bytes, if 32 bits can hold it.
void patch_length(const chunked::File& file, std::size_t head_size, std::uint64_t codestream_size);

}  // namespace spim::jp2
