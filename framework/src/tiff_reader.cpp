#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "spim/host/tiff_image.hpp"
#include "tiff_file.hpp"

namespace spim {

namespace {

/// 2^31 pixels: more than any camera or stitched plane has, few enough for sizes that cannot overflow.
constexpr std::int64_t kMostPixels = std::int64_t{1} << 31;
/// Deflate cannot make less than a 1032nd, LZW little more: what claims to be smaller is damaged, and need
/// not be allocated.
constexpr std::int64_t kLargestRatio = 4096;
/// Pixels of a tile that is accepted whatever the image; larger ones must belong to a larger image.
constexpr std::int64_t kUsualTile = std::int64_t{1} << 22;

std::int64_t bytes_of(TiffSample type) {
  switch (type) {
    case TiffSample::u8:
      return 1;
    case TiffSample::u16:
      return 2;
    case TiffSample::f32:
      return 4;
    case TiffSample::f64:
      return 8;
  }
  return 8;
}

template <class From, class To>
void convert(const unsigned char* from, std::int64_t count, To* to) {
  for (std::int64_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, from + i * static_cast<std::int64_t>(sizeof(From)), sizeof(From));
    to[i] = static_cast<To>(value);
  }
}

void convert_samples(TiffSample type, const unsigned char* from, std::int64_t count, float* to) {
  switch (type) {
    case TiffSample::u8:
      return convert<std::uint8_t>(from, count, to);
    case TiffSample::u16:
      return convert<std::uint16_t>(from, count, to);
    case TiffSample::f32:
      return convert<float>(from, count, to);
    case TiffSample::f64:
      return convert<double>(from, count, to);
  }
}

void convert_samples(TiffSample type, const unsigned char* from, std::int64_t count, std::uint16_t* to) {
  if (type == TiffSample::u8) return convert<std::uint8_t>(from, count, to);
  convert<std::uint16_t>(from, count, to);
}

/// The image's layout in strips or tiles.
struct Layout {
  bool tiled = false;
  std::int64_t rows = 0;  ///< of a strip or tile
  std::int64_t columns = 0;
  std::int64_t bytes = 0;  ///< of a decoded strip or tile
};

std::string text_field(TIFF* tiff, std::uint32_t tag) {
  char* text = nullptr;
  return TIFFGetField(tiff, tag, &text) == 1 && text != nullptr ? std::string(text) : std::string();
}

}  // namespace

std::string_view tiff_sample_word(TiffSample type) noexcept {
  switch (type) {
    case TiffSample::u8:
      return "uint8";
    case TiffSample::u16:
      return "uint16";
    case TiffSample::f32:
      return "float32";
    case TiffSample::f64:
      return "float64";
  }
  return "unknown";
}

/// An open file whose first page has been found to be what we read.
class TiffReader::File {
 public:
  File(const std::filesystem::path& path, TiffInfo& info)
      : path_(path.string()), file_(path, detail::TiffMode::read, path) {
    info.rows = field(TIFFTAG_IMAGELENGTH);
    info.columns = field(TIFFTAG_IMAGEWIDTH);
    if (info.rows < 1 || info.columns < 1 || info.rows > kMostPixels / info.columns)
      throw Error(fmt::format("{} has {} rows x {} columns; an image must have 1 to {} pixels", path_,
                              info.rows, info.columns, kMostPixels));
    info.type = checked_type();
    check_kind();
    check_size(info);
    info.description = text_field(tiff(), TIFFTAG_IMAGEDESCRIPTION);
    layout_ = layout_of(info);
  }

  template <class T>
  void read(const TiffInfo& info, ImageView<T> out) {
    const bool direct =
        std::is_same_v<T, std::uint16_t> ? info.type == TiffSample::u16 : info.type == TiffSample::f32;
    const bool dense = direct && !layout_.tiled && out.row_stride == out.columns;
    std::vector<unsigned char> scratch(dense ? 0 : static_cast<std::size_t>(layout_.bytes));
    std::uint32_t number = 0;
    for (std::int64_t i = 0; i < info.rows; i += layout_.rows)
      for (std::int64_t j = 0; j < info.columns; j += layout_.columns, ++number) {
        const std::int64_t rows = std::min(layout_.rows, info.rows - i);
        const std::int64_t columns = std::min(layout_.columns, info.columns - j);
        const std::int64_t wanted = layout_.tiled ? layout_.bytes : rows * columns * bytes_of(info.type);
        decode(number, dense ? static_cast<void*>(out.row(i)) : scratch.data(), wanted);
        if (dense) continue;
        for (std::int64_t r = 0; r < rows; ++r)
          convert_samples(info.type, scratch.data() + r * layout_.columns * bytes_of(info.type), columns,
                          out.row(i + r) + j);
      }
  }

 private:
  TIFF* tiff() const { return file_.get(); }

  std::int64_t field(std::uint32_t tag) const {
    std::uint32_t value = 0;
    return TIFFGetField(tiff(), tag, &value) == 1 ? value : 0;
  }
  int short_field(std::uint32_t tag) const {
    std::uint16_t value = 0;
    return TIFFGetFieldDefaulted(tiff(), tag, &value) == 1 ? value : -1;
  }

  TiffSample checked_type() const {
    const int bits = short_field(TIFFTAG_BITSPERSAMPLE);
    const int format = short_field(TIFFTAG_SAMPLEFORMAT);
    const bool whole = format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID;
    if (whole && bits == 8) return TiffSample::u8;
    if (whole && bits == 16) return TiffSample::u16;
    if (format == SAMPLEFORMAT_IEEEFP && bits == 32) return TiffSample::f32;
    if (format == SAMPLEFORMAT_IEEEFP && bits == 64) return TiffSample::f64;
    throw Error(fmt::format("{} holds samples of {} bits ({}); save it as uint8, uint16, float32 or float64",
                            path_, bits,
                            whole                           ? "unsigned"
                            : format == SAMPLEFORMAT_INT    ? "signed"
                            : format == SAMPLEFORMAT_IEEEFP ? "floating point"
                                                            : "of an unknown kind"));
  }

  void check_kind() const {
    const int samples = short_field(TIFFTAG_SAMPLESPERPIXEL);
    std::uint16_t photometric = PHOTOMETRIC_MINISBLACK;
    TIFFGetField(tiff(), TIFFTAG_PHOTOMETRIC, &photometric);
    if (samples != 1 || photometric == PHOTOMETRIC_PALETTE)
      throw Error(
          fmt::format("{} is a colour image; save it as a grey image with one sample per pixel", path_));
    if (photometric == PHOTOMETRIC_MINISWHITE)
      throw Error(fmt::format("{} stores white as 0; invert it and save it with black as 0", path_));
    if (TIFFLastDirectory(tiff()) == 0)
      throw Error(fmt::format("{} has several pages; save the wanted one as an image of its own", path_));
    const auto codec = static_cast<std::uint16_t>(short_field(TIFFTAG_COMPRESSION));
    if (TIFFIsCODECConfigured(codec) != 1)
      throw Error(
          fmt::format("{} is compressed with method {}, which the installed libtiff does not know; "
                      "save it with deflate or without compression",
                      path_, codec));
  }

  void check_size(const TiffInfo& info) const {
    const int codec = short_field(TIFFTAG_COMPRESSION);
    const bool bounded = codec == COMPRESSION_NONE || codec == COMPRESSION_LZW ||
                         codec == COMPRESSION_PACKBITS || codec == COMPRESSION_ADOBE_DEFLATE ||
                         codec == COMPRESSION_DEFLATE;
    const std::int64_t image = info.rows * info.columns * bytes_of(info.type);
    const std::int64_t ratio = codec == COMPRESSION_NONE ? 1 : kLargestRatio;
    if (bounded && image / ratio > file_.bytes())
      throw Error(
          fmt::format("{} is cut short or damaged: {} bytes cannot hold {} rows x {} columns; copy it "
                      "again",
                      path_, file_.bytes(), info.rows, info.columns));
  }

  Layout layout_of(const TiffInfo& info) const {
    Layout layout;
    layout.tiled = TIFFIsTiled(tiff()) != 0;
    if (layout.tiled) {
      layout.rows = field(TIFFTAG_TILELENGTH);
      layout.columns = field(TIFFTAG_TILEWIDTH);
    } else {
      const std::int64_t rows = field(TIFFTAG_ROWSPERSTRIP);
      layout.rows = rows < 1 ? info.rows : std::min(rows, info.rows);
      layout.columns = info.columns;
    }
    const bool absurd = layout.rows < 1 || layout.columns < 1 || layout.rows > kMostPixels / layout.columns;
    if (absurd || layout.rows * layout.columns > std::max(kUsualTile, 4 * info.rows * info.columns))
      throw Error(fmt::format("{} is damaged: it says that its tiles have {} rows x {} columns", path_,
                              layout.rows, layout.columns));
    layout.bytes = layout.rows * layout.columns * bytes_of(info.type);
    return layout;
  }

  void decode(std::uint32_t number, void* to, std::int64_t bytes) const {
    const tmsize_t size = static_cast<tmsize_t>(bytes);
    const tmsize_t got = layout_.tiled ? TIFFReadEncodedTile(tiff(), number, to, size)
                                       : TIFFReadEncodedStrip(tiff(), number, to, size);
    file_.check(got >= 0);
    if (got != size)
      throw Error(
          fmt::format("{} is cut short: {} of {} bytes of a strip; copy it again", path_, got, bytes));
  }

  std::string path_;
  detail::TiffFile file_;
  Layout layout_;
};

TiffReader::TiffReader(const std::filesystem::path& path)
    : path_(path), file_(std::make_unique<File>(path, info_)) {}

TiffReader::~TiffReader() = default;

template <class T>
void TiffReader::read_as(ImageView<T> out) {
  if (out.rows != info_.rows || out.columns != info_.columns)
    throw Error(fmt::format("{} has {} rows x {} columns; an image of {} x {} is needed", path_.string(),
                            info_.rows, info_.columns, out.rows, out.columns));
  file_->read(info_, out);
}

void TiffReader::read(ImageView<float> out) {
  read_as(out);
}

void TiffReader::read(ImageView<std::uint16_t> out) {
  if (info_.type != TiffSample::u8 && info_.type != TiffSample::u16)
    throw Error(fmt::format("{} holds {} samples; whole numbers are needed: save it as uint8 or uint16",
                            path_.string(), tiff_sample_word(info_.type)));
  read_as(out);
}

namespace {

template <class T>
OwnedImage<T> read_whole(const std::filesystem::path& path) {
  TiffReader reader(path);
  OwnedImage<T> image(reader.info().rows, reader.info().columns);
  reader.read(image.view());
  return image;
}

}  // namespace

OwnedImage<float> read_tiff_float(const std::filesystem::path& path) {
  return read_whole<float>(path);
}

OwnedImage<std::uint16_t> read_tiff_u16(const std::filesystem::path& path) {
  return read_whole<std::uint16_t>(path);
}

}  // namespace spim
