#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "spim/host/publication.hpp"
#include "spim/host/tiff_image.hpp"
#include "tiff_file.hpp"

namespace spim {

namespace fs = std::filesystem;

namespace {

/// Decoded size of a strip: large enough for deflate to find repetitions, small enough for readers of a part.
constexpr std::int64_t kStripBytes = 256 * 1024;
/// From here on offsets may not fit into 32 bits; deflate may add a little.
constexpr std::int64_t kClassicBytes = 4'000'000'000;

template <class T>
void check(ImageView<const T> image, const TiffSettings& settings, const fs::path& shown) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (image.rows < 1 || image.columns < 1 || image.rows > kMost || image.columns > kMost / 8)
    throw Error(fmt::format("{} cannot be written: an image of {} rows x {} columns is empty or too large",
                            shown.string(), image.rows, image.columns));
  if (settings.deflate < 0 || settings.deflate > 9)
    throw UsageError(
        fmt::format("a deflate level of {} does not exist; choose 0 (none) to 9", settings.deflate));
}

void set_tags(const detail::TiffFile& file, std::int64_t rows, std::int64_t columns,
              std::int64_t strip_rows) {
  const auto set = [&](std::uint32_t tag, auto value) {
    file.check(TIFFSetField(file.get(), tag, value) == 1);
  };
  set(TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(columns));
  set(TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(rows));
  set(TIFFTAG_SAMPLESPERPIXEL, 1);
  set(TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  set(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  set(TIFFTAG_ROWSPERSTRIP, static_cast<std::uint32_t>(strip_rows));
}

template <class T>
void write(const fs::path& path, ImageView<const T> image, const TiffSettings& settings,
           const fs::path& shown) {
  check(image, settings, shown);
  const std::int64_t row_bytes = image.columns * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t strip_rows = std::clamp<std::int64_t>(kStripBytes / row_bytes, 1, image.rows);
  const bool big = image.rows > kClassicBytes / row_bytes;
  detail::TiffFile file(path, big ? detail::TiffMode::write_big : detail::TiffMode::write, shown);
  TIFF* const tiff = file.get();
  set_tags(file, image.rows, image.columns, strip_rows);
  file.check(TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * sizeof(T))) == 1);
  file.check(TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT,
                          std::is_floating_point_v<T> ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT) == 1);
  const int codec = settings.deflate > 0 ? COMPRESSION_ADOBE_DEFLATE : COMPRESSION_NONE;
  file.check(TIFFSetField(tiff, TIFFTAG_COMPRESSION, codec) == 1);
  if (settings.deflate > 0) file.check(TIFFSetField(tiff, TIFFTAG_ZIPQUALITY, settings.deflate) == 1);
  if (!settings.description.empty())
    file.check(TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, settings.description.c_str()) == 1);

  std::vector<T> strip(static_cast<std::size_t>(strip_rows * image.columns));
  std::uint32_t number = 0;
  for (std::int64_t i = 0; i < image.rows; i += strip_rows, ++number) {
    // Copied because libtiff wants memory that it may change.
    const std::int64_t rows = std::min(strip_rows, image.rows - i);
    for (std::int64_t r = 0; r < rows; ++r)
      std::copy_n(image.row(i + r), image.columns, strip.data() + r * image.columns);
    const auto bytes = static_cast<tmsize_t>(rows * row_bytes);
    file.check(TIFFWriteEncodedStrip(tiff, number, strip.data(), bytes) == bytes);
  }
  file.finish();
}

template <class T>
void publish(const fs::path& path, ImageView<const T> image, const TiffSettings& settings,
             Existing existing) {
  check(image, settings, path);
  Publication publication(path, existing == Existing::replace);
  write(publication.path(), image, settings, path);
  publication.commit();
}

}  // namespace

void write_tiff(const fs::path& path, ImageView<const std::uint16_t> image, const TiffSettings& settings,
                const fs::path& shown) {
  write(path, image, settings, shown.empty() ? path : shown);
}

void write_tiff(const fs::path& path, ImageView<const float> image, const TiffSettings& settings,
                const fs::path& shown) {
  write(path, image, settings, shown.empty() ? path : shown);
}

void publish_tiff(const fs::path& path, ImageView<const std::uint16_t> image, const TiffSettings& settings,
                  Existing existing) {
  publish(path, image, settings, existing);
}

void publish_tiff(const fs::path& path, ImageView<const float> image, const TiffSettings& settings,
                  Existing existing) {
  publish(path, image, settings, existing);
}

}  // namespace spim
