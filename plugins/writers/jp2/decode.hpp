#pragma once
/// Decompresses rows of one plane, in the caller's thread.

#include <cstdint>

#include "common/file.hpp"
#include "container.hpp"
#include "spim/image.hpp"

namespace spim::jp2 {

/// Part of a plane.
struct Corner {
  std::int64_t row = 0;
  std::int64_t column = 0;
};

/// Reads out.rows x out.columns samples of all quality layers from `first` on; they lie inside the image of
/// `plane`, which read_plane_file() found in `file`. Throws Error naming the file when anything is damaged.
void decode(const chunked::File& file, const PlaneFile& plane, Corner first, ImageView<std::uint16_t> out);

}  // namespace spim::jp2
