#pragma once
/// Bytes of the parts of a DCIMG file other than pixels (docs/dcimg.md).

#include <array>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "spim/host/dcimg_writer.hpp"

namespace spim::dcimg {

using Bytes = std::vector<std::uint8_t>;

/// What the camera leaves in the overwritten pixels: uint16 0, 65535, 0, 65535.
inline constexpr std::array<std::uint8_t, 8> kOverwritten = {0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF};

inline constexpr std::int64_t kFileHeaderFields = 0x48;  ///< smallest header that holds every known field
inline constexpr std::int64_t kTrailer = 112;  ///< behind the last session; the sizes of real files imply it

/// Stores `value` as little-endian bytes at `at`; the machine is little-endian, as every one this runs on.
template <std::integral T>
void put(std::span<std::uint8_t> bytes, std::int64_t at, std::type_identity_t<T> value) {
  std::memcpy(bytes.subspan(static_cast<std::size_t>(at), sizeof(T)).data(), &value, sizeof(T));
}

struct Stamp {
  std::uint32_t counter, seconds, microseconds;
};

/// The stamp of frame `frame`; zeros when the settings record none.
Stamp stamp_of(const DcimgSettings& settings, std::int64_t frame);

/// The file as a whole; all zero while it is being written.
struct FileTotals {
  std::int64_t sessions = 0, frames = 0, bytes = 0;
};

Bytes file_header(const DcimgSettings& settings, const DcimgLayout& layout, const FileTotals& totals);

enum class Progress { unfinished, finished };

/// The session header up to frame 0; an unfinished one tells neither frames nor size.
Bytes session_header(const DcimgSettings& settings, const DcimgLayout& layout, Progress progress);

/// What follows the frames of v7. `true_pixels` holds 8 bytes per frame, or nothing.
Bytes packed_tail(const DcimgSettings& settings, const DcimgLayout& layout,
                  std::span<const std::uint8_t> true_pixels);

}  // namespace spim::dcimg
