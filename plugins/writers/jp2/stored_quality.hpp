#pragma once
/// How faithful a stored plane is.

#include <cstdint>

#include "common/file.hpp"
#include "spim/image.hpp"

namespace spim::jp2 {

/// Samples that are decoded at once, unless a row is longer.
inline constexpr std::int64_t kBandSamples = std::int64_t{1} << 24;

/// Peak signal to noise ratio in dB of the codestream at [begin, end) of `file` against `plane`, relative to
/// the largest value of `type`; infinity when they are equal. Decodes bands of rows. Throws Error.
double stored_psnr(const chunked::File& file, IndexRange codestream, ImageView<const std::uint16_t> plane,
                   PixelType type);

}  // namespace spim::jp2
