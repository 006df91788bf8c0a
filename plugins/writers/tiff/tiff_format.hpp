#pragma once
/// Numbers of the TIFF 6.0 and BigTIFF formats that are written and read here.

#include <cstdint>

namespace spim::tiff {

enum class Tag : std::uint16_t {
  new_subfile_type = 254,
  image_width = 256,
  image_length = 257,
  bits_per_sample = 258,
  compression = 259,
  photometric = 262,
  image_description = 270,
  strip_offsets = 273,
  samples_per_pixel = 277,
  rows_per_strip = 278,
  strip_byte_counts = 279,
  x_resolution = 282,
  y_resolution = 283,
  planar_configuration = 284,
  resolution_unit = 296,
  software = 305,
  date_time = 306,
  predictor = 317,
  tile_width = 322,
  tile_length = 323,
  tile_offsets = 324,
  tile_byte_counts = 325,
  sub_ifds = 330,
  sample_format = 339
};

/// Classic files have offsets of 32 bits.
enum class Variant { classic, big };

/// Tiles have sides that are multiples of this.
inline constexpr std::int64_t kTileUnit = 16;

}  // namespace spim::tiff
