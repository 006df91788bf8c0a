#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "page_file.hpp"
#include "spim/error.hpp"

namespace spim::tiff {

namespace {

/// A frame of a camera has 2^22 to 2^26 pixels, a stitched plane up to 2^33; what is far beyond is damage.
constexpr std::int64_t kMostPixels = std::int64_t{1} << 36;
/// Deflate cannot make less than a 1032nd, LZW little more: what claims to be smaller is damaged, and need
/// not be allocated.
constexpr std::int64_t kLargestRatio = 4096;
/// Pixels of a tile that is accepted whatever the page.
constexpr std::int64_t kUsualTile = std::int64_t{1} << 22;
/// libtiff never needs more at once beside the blocks, which are ours.
constexpr tmsize_t kLargestAllocation = tmsize_t{1} << 32;

struct CloseTiff {
  void operator()(TIFF* tiff) const noexcept { TIFFClose(tiff); }
};

std::string codec_words(int codec) {
  switch (codec) {
    case COMPRESSION_NONE:
      return "none";
    case COMPRESSION_LZW:
      return "LZW";
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE:
      return "deflate";
    case COMPRESSION_PACKBITS:
      return "PackBits";
    case COMPRESSION_ZSTD:
      return "zstd";
    default:
      return fmt::format("method {}", codec);
  }
}

std::string printable(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (std::isprint(static_cast<unsigned char>(c)) == 0) c = '?';
  while (result.ends_with('.') || result.ends_with(' ')) result.pop_back();
  return result;
}

}  // namespace

/// libtiff on a file that begins with the page, so that a page is found without walking through those before.
class Page::Directory {
 public:
  Directory(const PageFile& file, std::uint64_t place, const std::string& subject)
      : file_(file), place_(place), subject_(subject) {
    const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                   TIFFOpenOptionsFree);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kLargestAllocation);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_error, this);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), drop_warning, this);
    // m: no memory mapping; c: one strip stays one strip.
    tiff_.reset(TIFFClientOpenExt(subject.c_str(), "rmc", this, read, no_write, seek, no_close, size, no_map,
                                  no_unmap, options.get()));
    check(tiff_ != nullptr);
  }

  PageInfo info() const {
    PageInfo info;
    info.rows = long_field(TIFFTAG_IMAGELENGTH);
    info.columns = long_field(TIFFTAG_IMAGEWIDTH);
    if (info.rows < 1 || info.columns < 1 || info.rows > kMostPixels / info.columns)
      throw Error(fmt::format("{} has {} rows x {} columns; an image must have 1 to {} pixels", subject_,
                              info.rows, info.columns, kMostPixels));
    info.type = checked_type();
    info.reduced = (long_field(TIFFTAG_SUBFILETYPE) & FILETYPE_REDUCEDIMAGE) != 0;
    check_kind();
    info.compression = codec_words(codec());
    info.description = text_field(TIFFTAG_IMAGEDESCRIPTION);
    info.software = text_field(TIFFTAG_SOFTWARE);
    set_blocks(info);
    set_resolution(info);
    std::uint16_t count = 0;
    std::uint64_t* places = nullptr;
    if (TIFFGetField(tiff_.get(), TIFFTAG_SUBIFD, &count, &places) == 1 && places != nullptr)
      info.coarser.assign(places, places + count);
    check_blocks(info);
    return info;
  }

  /// Decodes block `number` into `to`; a last strip may have fewer bytes than `bytes`, not fewer than
  /// `least`.
  void decode(bool tiled, std::uint32_t number, void* to, std::int64_t bytes) {
    complaint_.clear();
    const auto wanted = static_cast<tmsize_t>(bytes);
    const tmsize_t got = tiled ? TIFFReadEncodedTile(tiff_.get(), number, to, wanted)
                               : TIFFReadEncodedStrip(tiff_.get(), number, to, wanted);
    file_.check_unchanged();
    check(got >= 0);
    if (got != wanted)
      throw Error(fmt::format("{} is damaged: {} of {} bytes of a strip or tile; copy it again", subject_,
                              got, bytes));
    // Some codecs fill what is missing and only complain.
    check(complaint_.empty());
  }

 private:
  static Directory& of(thandle_t handle) { return *static_cast<Directory*>(handle); }
  static tmsize_t read(thandle_t handle, void* to, tmsize_t bytes) {
    Directory& self = of(handle);
    if (bytes < 0) return -1;
    try {
      const std::size_t got = self.file_.read(self.place_, self.at_, to, static_cast<std::size_t>(bytes));
      self.at_ += got;
      return static_cast<tmsize_t>(got);
    } catch (const std::exception& error) {  // must not pass through libtiff
      self.system_complaint_ = error.what();
      return -1;
    }
  }
  static tmsize_t no_write(thandle_t, void*, tmsize_t) { return -1; }
  static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    Directory& self = of(handle);
    if (whence == SEEK_SET) self.at_ = offset;
    if (whence == SEEK_CUR) self.at_ += offset;
    if (whence == SEEK_END) self.at_ = static_cast<std::uint64_t>(self.file_.bytes()) + offset;
    return self.at_;
  }
  static int no_close(thandle_t) { return 0; }
  static toff_t size(thandle_t handle) { return static_cast<toff_t>(of(handle).file_.bytes()); }
  static int no_map(thandle_t, void**, toff_t*) { return 0; }
  static void no_unmap(thandle_t, void*, toff_t) {}
  static int keep_error(TIFF*, void* self, const char*, const char* format, va_list arguments) {
    char text[256] = {};
    std::vsnprintf(text, sizeof text, format, arguments);
    auto& complaint = static_cast<Directory*>(self)->complaint_;
    if (complaint.empty()) complaint = text[0] == 0 ? "unknown error" : text;
    return 1;
  }
  static int drop_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

  void check(bool good) const {
    if (good) return;
    if (!system_complaint_.empty()) throw Error(system_complaint_);
    throw Error(fmt::format("{} cannot be read: {}; it is damaged or cut short, copy it again", subject_,
                            complaint_.empty() ? "libtiff gives no reason" : printable(complaint_)));
  }

  std::int64_t long_field(std::uint32_t tag) const {
    std::uint32_t value = 0;
    return TIFFGetField(tiff_.get(), tag, &value) == 1 ? value : 0;
  }
  int short_field(std::uint32_t tag) const {
    std::uint16_t value = 0;
    return TIFFGetFieldDefaulted(tiff_.get(), tag, &value) == 1 ? value : -1;
  }
  std::string text_field(std::uint32_t tag) const {
    char* text = nullptr;
    return TIFFGetField(tiff_.get(), tag, &text) == 1 && text != nullptr ? std::string(text) : std::string();
  }
  int codec() const { return short_field(TIFFTAG_COMPRESSION); }

  PixelType checked_type() const {
    const int bits = short_field(TIFFTAG_BITSPERSAMPLE);
    const int format = short_field(TIFFTAG_SAMPLEFORMAT);
    const bool whole = format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID;
    if (whole && bits == 8) return PixelType::u8;
    if (whole && bits == 16) return PixelType::u16;
    throw Error(fmt::format("{} holds {} samples of {} bits; save it as uint8 or uint16", subject_,
                            whole                           ? "unsigned"
                            : format == SAMPLEFORMAT_INT    ? "signed"
                            : format == SAMPLEFORMAT_IEEEFP ? "floating point"
                                                            : "unknown",
                            bits));
  }

  void check_kind() const {
    std::uint16_t photometric = PHOTOMETRIC_MINISBLACK;
    TIFFGetField(tiff_.get(), TIFFTAG_PHOTOMETRIC, &photometric);
    if (short_field(TIFFTAG_SAMPLESPERPIXEL) != 1 || photometric == PHOTOMETRIC_PALETTE ||
        photometric == PHOTOMETRIC_RGB)
      throw Error(
          fmt::format("{} is a colour image; save it as a grey image with one sample per pixel", subject_));
    if (photometric == PHOTOMETRIC_MINISWHITE)
      throw Error(fmt::format("{} stores white as 0; invert it and save it with black as 0", subject_));
    if (TIFFIsCODECConfigured(static_cast<std::uint16_t>(codec())) != 1)
      throw Error(
          fmt::format("{} is compressed with method {}, which the installed libtiff does not know; "
                      "save it with deflate or without compression",
                      subject_, codec()));
  }

  void set_blocks(PageInfo& info) const {
    info.tiled = TIFFIsTiled(tiff_.get()) != 0;
    if (info.tiled) {
      info.block_rows = long_field(TIFFTAG_TILELENGTH);
      info.block_columns = long_field(TIFFTAG_TILEWIDTH);
    } else {
      const std::int64_t rows = long_field(TIFFTAG_ROWSPERSTRIP);
      info.block_rows = rows < 1 || rows >= std::int64_t{UINT32_MAX} ? info.rows : rows;
      info.block_columns = info.columns;
    }
    const bool absurd =
        info.block_rows < 1 || info.block_columns < 1 || info.block_rows > kMostPixels / info.block_columns;
    const std::int64_t most = std::max(kUsualTile, 4 * info.rows * info.columns);
    if (absurd || (info.tiled && info.block_rows * info.block_columns > most))
      throw Error(fmt::format("{} is damaged: it says that its tiles have {} rows x {} columns", subject_,
                              info.block_rows, info.block_columns));
  }

  void set_resolution(PageInfo& info) const {
    float x = 0, y = 0;
    if (TIFFGetField(tiff_.get(), TIFFTAG_XRESOLUTION, &x) != 1 ||
        TIFFGetField(tiff_.get(), TIFFTAG_YRESOLUTION, &y) != 1)
      return;
    info.pixels_per_unit = {double{x}, double{y}, 0};
    const int unit = short_field(TIFFTAG_RESOLUTIONUNIT);
    const double um = unit == RESUNIT_CENTIMETER ? 1e4 : unit == RESUNIT_INCH ? 25400 : 0;
    if (um == 0) return;
    // Resolutions of screens and printers are no sizes of voxels.
    constexpr double kLargestVoxel = 100;
    const Vec3 voxel{um / double{x}, um / double{y}, 0};
    if (std::isfinite(voxel.x) && std::isfinite(voxel.y) && voxel.x > 0 && voxel.y > 0 &&
        voxel.x < kLargestVoxel && voxel.y < kLargestVoxel)
      info.voxel_um = voxel;
  }

  void check_blocks(const PageInfo& info) const {
    const std::uint32_t count = info.tiled ? TIFFNumberOfTiles(tiff_.get()) : TIFFNumberOfStrips(tiff_.get());
    const auto file = static_cast<std::uint64_t>(file_.bytes());
    const auto block_bytes =
        static_cast<std::uint64_t>(info.block_rows * info.block_columns * bytes_of(info.type));
    const bool bounded = codec() != COMPRESSION_ZSTD;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t at = TIFFGetStrileOffset(tiff_.get(), i);
      const std::uint64_t bytes = TIFFGetStrileByteCount(tiff_.get(), i);
      if (at == 0 || bytes == 0)
        throw Error(
            fmt::format("{} is incomplete: strip or tile {} is missing; write it again", subject_, i));
      if (at > file || bytes > file - at)
        throw Error(fmt::format(
            "{} is cut short: strip or tile {} ends at byte {} of {}; copy it again, or wait until it is "
            "written",
            subject_, i, at + bytes, file));
      const bool last = !info.tiled && i + 1 == count;
      if (bounded && !last && block_bytes / kLargestRatio > bytes)
        throw Error(
            fmt::format("{} is damaged: {} bytes cannot hold a strip or tile of {} x {}; copy it again",
                        subject_, bytes, info.block_rows, info.block_columns));
    }
  }

  const PageFile& file_;
  std::uint64_t place_;
  const std::string& subject_;
  std::uint64_t at_ = 0;
  std::string complaint_, system_complaint_;
  std::unique_ptr<TIFF, CloseTiff> tiff_;
};

Page::Page(std::shared_ptr<const PageFile> file, std::uint64_t place, std::string subject)
    : file_(std::move(file)),
      place_(place),
      subject_(std::move(subject)),
      directory_(std::make_unique<Directory>(*file_, place_, subject_)) {
  info_ = directory_->info();
}

Page::~Page() = default;

/// Of the strip or tile `number`; strips end with the page, tiles do not.
const unsigned char* Page::decoded(std::uint32_t number) {
  if (decoded_ == number) return block_.data();
  const std::int64_t rows =
      info_.tiled ? info_.block_rows
                  : std::min(info_.block_rows, info_.rows - std::int64_t{number} * info_.block_rows);
  const std::int64_t bytes = rows * info_.block_columns * bytes_of(info_.type);
  block_.resize(static_cast<std::size_t>(bytes));
  decoded_ = -1;
  directory_->decode(info_.tiled, number, block_.data(), bytes);
  decoded_ = number;
  return block_.data();
}

void Page::read(std::int64_t first_row, std::int64_t first_column, ImageView<std::uint16_t> out) {
  const std::int64_t across = ceil_div(info_.columns, info_.block_columns);
  const std::int64_t sample = bytes_of(info_.type);
  const std::int64_t end_row = first_row + out.rows, end_column = first_column + out.columns;
  for (std::int64_t i = first_row / info_.block_rows; i * info_.block_rows < end_row; ++i)
    for (std::int64_t j = first_column / info_.block_columns; j * info_.block_columns < end_column; ++j) {
      const std::int64_t top = i * info_.block_rows, left = j * info_.block_columns;
      const auto number = static_cast<std::uint32_t>(i * across + j);
      const std::int64_t row_end = std::min({top + info_.block_rows, end_row, info_.rows});
      const std::int64_t column_begin = std::max(left, first_column);
      const std::int64_t columns = std::min(left + info_.block_columns, end_column) - column_begin;
      const std::int64_t row_begin = std::max(top, first_row);
      const bool whole_strip = !info_.tiled && sample == 2 && row_begin == top && columns == info_.columns &&
                               row_end == std::min(top + info_.block_rows, info_.rows) &&
                               out.row_stride == out.columns && decoded_ != number;
      if (whole_strip) {
        directory_->decode(false, number, out.row(top - first_row), (row_end - top) * columns * sample);
        continue;
      }
      const unsigned char* const block = decoded(number);
      for (std::int64_t row = row_begin; row < row_end; ++row) {
        const unsigned char* const from =
            block + ((row - top) * info_.block_columns + column_begin - left) * sample;
        std::uint16_t* const to = out.row(row - first_row) + (column_begin - first_column);
        if (sample == 2)
          std::memcpy(to, from, static_cast<std::size_t>(columns) * 2);
        else
          std::copy_n(from, columns, to);
      }
    }
}

}  // namespace spim::tiff
