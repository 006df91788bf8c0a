#pragma once
/// Grey images of one page in TIFF files: camera frames, flat fields, pictures for other programs.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "spim/host/owned_image.hpp"
#include "spim/image.hpp"

namespace spim {

/// Types of samples that are read.
enum class TiffSample { u8, u16, f32, f64 };

/// "uint8" … "float64", as numpy calls them.
std::string_view tiff_sample_word(TiffSample type) noexcept;

/// What a file holds.
struct TiffInfo {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  TiffSample type = TiffSample::u16;
  std::string description;  ///< tag ImageDescription; "" when there is none
};

/// One open file: strips or tiles, either byte order, classic or BigTIFF, any compression that libtiff was
/// built with. [one thread]
class TiffReader {
 public:
  /// Reads the header. Throws Error when the file cannot be opened, is no TIFF file, has several pages,
  /// several samples per pixel or other samples than those of TiffSample, or more than 2^31 pixels.
  explicit TiffReader(const std::filesystem::path& path);
  ~TiffReader();
  TiffReader(const TiffReader&) = delete;
  TiffReader& operator=(const TiffReader&) = delete;

  const TiffInfo& info() const noexcept { return info_; }

  /// Reads all samples. `out` has the shape of the image, else Error. As float32 a float64 sample is rounded
  /// to the nearest, and infinite beyond the range; as uint16 only uint8 and uint16 images can be read, else
  /// Error. Throws Error when the bytes are not there or cannot be decoded.
  void read(ImageView<float> out);
  void read(ImageView<std::uint16_t> out);

 private:
  class File;
  template <class T>
  void read_as(ImageView<T> out);

  std::filesystem::path path_;
  TiffInfo info_;
  std::unique_ptr<File> file_;
};

/// The whole of a file. Throws as TiffReader does.
OwnedImage<float> read_tiff_float(const std::filesystem::path& path);
OwnedImage<std::uint16_t> read_tiff_u16(const std::filesystem::path& path);

struct TiffSettings {
  int deflate = 3;               ///< zlib's level, 1 (fast) to 9 (small); 0: not compressed
  std::string description = {};  ///< tag ImageDescription; none when empty
};

/// Writes a single-page grey image to `path`, over what is there; neither durable nor in one step: for files
/// inside a Publication, whose path messages should not show: they name `shown` when it is not empty. The
/// file is a BigTIFF only when it must be. Throws Error; a part of the file may be left then.
void write_tiff(const std::filesystem::path& path, ImageView<const std::uint16_t> image,
                const TiffSettings& settings, const std::filesystem::path& shown = {});
void write_tiff(const std::filesystem::path& path, ImageView<const float> image, const TiffSettings& settings,
                const std::filesystem::path& shown = {});

/// What to do when the name is taken.
enum class Existing { refuse, replace };

/// The same under a temporary name, forced to the disk, then renamed to `path`: it appears whole or not at
/// all. Creates missing folders. Throws Error, which names --overwrite when the name is taken.
void publish_tiff(const std::filesystem::path& path, ImageView<const std::uint16_t> image,
                  const TiffSettings& settings, Existing existing = Existing::refuse);
void publish_tiff(const std::filesystem::path& path, ImageView<const float> image,
                  const TiffSettings& settings, Existing existing = Existing::refuse);

}  // namespace spim
