#pragma once
/// A picture that shows what a correction did.

#include <cstdint>
#include <filesystem>

#include "picture.hpp"
#include "spim/host/owned_image.hpp"

namespace spim::cli {

/// From the lowest to the highest grey level that either image needs to be seen.
Contrast common_contrast(const OwnedImage<std::uint16_t>& a, const OwnedImage<std::uint16_t>& b);

/// What the grey levels of the picture stand for.
struct BeforeAfterScale {
  Contrast images;          ///< of the first two: black and white
  std::int64_t change = 0;  ///< of the third: black is −change, middle grey 0, white +change
};

/// Writes a PNG with three pictures side by side: the image before and after, both between the lowest and the
/// highest grey level that either of them needs, and after minus before on a symmetric scale. Replaces what
/// is there. Throws Error.
BeforeAfterScale write_before_after(const std::filesystem::path& path,
                                    const OwnedImage<std::uint16_t>& before,
                                    const OwnedImage<std::uint16_t>& after);

}  // namespace spim::cli
