#include "picture.hpp"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <cmath>

#include "pixel_sample.hpp"
#include "spim/error.hpp"

namespace spim::cli {

Contrast automatic_contrast(const Picture& picture) {
  Histogram histogram;
  histogram.add(picture.samples);
  const std::uint16_t black = histogram.percentile_above_zero(0.005);
  const std::uint16_t white = histogram.percentile_above_zero(0.998);
  return {black, std::max(white, static_cast<std::uint16_t>(std::min(black + 1, 65535)))};
}

Picture with_square_samples(const Picture& picture) {
  const double side = std::min(picture.row_um, picture.column_um);
  Picture result;
  result.rows =
      std::max<std::int64_t>(1, std::llround(static_cast<double>(picture.rows) * picture.row_um / side));
  result.columns = std::max<std::int64_t>(
      1, std::llround(static_cast<double>(picture.columns) * picture.column_um / side));
  result.row_um = result.column_um = side;
  if (result.rows == picture.rows && result.columns == picture.columns) {
    result.samples = picture.samples;
    return result;
  }
  result.samples.resize(static_cast<std::size_t>(result.rows * result.columns));
  // Sample centres of both pictures cover the same lengths.
  const auto source = [](std::int64_t i, std::int64_t to, std::int64_t from) {
    const double at =
        (static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) - 0.5;
    return std::clamp(at, 0.0, static_cast<double>(from - 1));
  };
  for (std::int64_t i = 0; i < result.rows; ++i) {
    const double y = source(i, result.rows, picture.rows);
    const auto y0 = static_cast<std::int64_t>(y);
    const std::uint16_t* above = picture.samples.data() + y0 * picture.columns;
    const std::uint16_t* below =
        picture.samples.data() + std::min(y0 + 1, picture.rows - 1) * picture.columns;
    const double wy = y - static_cast<double>(y0);
    for (std::int64_t j = 0; j < result.columns; ++j) {
      const double x = source(j, result.columns, picture.columns);
      const auto x0 = static_cast<std::int64_t>(x);
      const std::int64_t x1 = std::min(x0 + 1, picture.columns - 1);
      const double wx = x - static_cast<double>(x0);
      const double top = above[x0] * (1 - wx) + above[x1] * wx;
      const double bottom = below[x0] * (1 - wx) + below[x1] * wx;
      result.samples[static_cast<std::size_t>(i * result.columns + j)] =
          static_cast<std::uint16_t>(std::lround(top * (1 - wy) + bottom * wy));
    }
  }
  return result;
}

namespace {

png_image png_header(std::int64_t rows, std::int64_t columns, png_uint_32 format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(columns);
  image.height = static_cast<png_uint_32>(rows);
  image.format = format;
  return image;
}

std::string png_bytes(png_image image, const std::uint8_t* samples) {
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, samples, 0, nullptr) == 0)
    throw Error(fmt::format("a picture of {} x {} pixels cannot be made: {}", image.width, image.height,
                            image.message));
  bytes.resize(size);
  return bytes;
}

std::vector<std::uint8_t> grey_of(const Picture& picture, Contrast contrast) {
  std::vector<std::uint8_t> grey(picture.samples.size());
  const double scale = 255.0 / std::max(1, contrast.white - contrast.black);
  std::ranges::transform(picture.samples, grey.begin(), [&](std::uint16_t v) {
    return static_cast<std::uint8_t>(std::lround(std::clamp((v - contrast.black) * scale, 0.0, 255.0)));
  });
  return grey;
}

}  // namespace

std::string png_of(const ColourPicture& picture) {
  return png_bytes(png_header(picture.rows, picture.columns, PNG_FORMAT_RGB), picture.samples.data());
}

std::string png_of(const Picture& picture, Contrast contrast) {
  const std::vector<std::uint8_t> grey = grey_of(picture, contrast);
  return png_bytes(png_header(picture.rows, picture.columns, PNG_FORMAT_GRAY), grey.data());
}

void write_png(const std::filesystem::path& path, const Picture& picture, Contrast contrast) {
  const std::vector<std::uint8_t> grey = grey_of(picture, contrast);
  png_image image = png_header(picture.rows, picture.columns, PNG_FORMAT_GRAY);
  if (png_image_write_to_file(&image, path.c_str(), 0, grey.data(), 0, nullptr) == 0)
    throw Error(fmt::format("{}: cannot be written: {}", path.string(), image.message));
}

}  // namespace spim::cli
