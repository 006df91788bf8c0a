#pragma once
/// The pixels that the camera overwrites in every frame.

#include <array>
#include <cstdint>

namespace spim::dcimg_reader {

/// What the camera leaves there: uint16 0, 65535, 0, 65535.
inline constexpr std::array<std::uint8_t, 8> kOverwrittenPattern = {0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF};

}  // namespace spim::dcimg_reader
