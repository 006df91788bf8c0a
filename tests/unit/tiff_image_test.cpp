// link: TIFF::TIFF
#include "spim/host/tiff_image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <tiffio.h>

#include <csignal>
#include <cstring>
#include <limits>
#include <utility>

#include "spim/error.hpp"
#include "support/temporary_folder.hpp"

namespace {

namespace fs = std::filesystem;
using spim::OwnedImage;
using spim::test::TemporaryFolder;
using testing::HasSubstr;

template <class T>
OwnedImage<T> pattern(std::int64_t rows, std::int64_t columns) {
  OwnedImage<T> image(rows, columns);
  std::uint32_t state = 1;
  for (T& sample : image.samples) {
    state = state * 1664525U + 1013904223U;
    sample = static_cast<T>(state >> (sizeof(T) == 1 ? 24 : 18));
  }
  return image;
}

template <class T>
spim::ImageView<const T> view_of(const OwnedImage<T>& image) {
  return image.view();
}

/// How libtiff itself is asked to write a file.
struct Form {
  const char* mode = "w";
  int codec = COMPRESSION_NONE;
  std::uint32_t tile = 0;  ///< 0: strips
  int photometric = PHOTOMETRIC_MINISBLACK;
  int samples = 1;
  int pages = 1;
  int format = 0;  ///< 0: as the type says
};

template <class T>
void write_with_libtiff(const fs::path& path, OwnedImage<T> image, const Form& form) {
  TIFFSetWarningHandler(nullptr);
  TIFF* const tiff = TIFFOpen(path.c_str(), form.mode);
  ASSERT_NE(tiff, nullptr);
  for (int page = 0; page < form.pages; ++page) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(image.columns / form.samples));
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(image.rows));
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * sizeof(T)));
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, form.samples);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, form.photometric);
    const int own = std::is_floating_point_v<T> ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT;
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, form.format != 0 ? form.format : own);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, form.codec);
    if (form.tile == 0) {
      TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 7U);
      for (std::int64_t i = 0; i < image.rows; ++i)
        ASSERT_EQ(TIFFWriteScanline(tiff, image.view().row(i), static_cast<std::uint32_t>(i)), 1);
    } else {
      TIFFSetField(tiff, TIFFTAG_TILEWIDTH, form.tile);
      TIFFSetField(tiff, TIFFTAG_TILELENGTH, form.tile);
      for (std::uint32_t i = 0; i < image.rows; i += form.tile)
        for (std::uint32_t j = 0; j < image.columns; j += form.tile) {
          std::vector<T> tile(form.tile * form.tile);
          for (std::uint32_t r = 0; r < form.tile && i + r < image.rows; ++r)
            for (std::uint32_t c = 0; c < form.tile && j + c < image.columns; ++c)
              tile[r * form.tile + c] = image.view().row(i + r)[j + c];
          ASSERT_GT(TIFFWriteTile(tiff, tile.data(), j, i, 0, 0), 0);
        }
    }
    TIFFWriteDirectory(tiff);
  }
  TIFFClose(tiff);
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const spim::Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(TiffImage, reads_what_it_wrote_at_every_level) {
  const TemporaryFolder folder;
  const auto counts = pattern<std::uint16_t>(301, 517);
  auto numbers = pattern<float>(301, 517);
  numbers.samples[5] = std::numeric_limits<float>::quiet_NaN();
  for (int level = 0; level <= 9; ++level) {
    spim::write_tiff(folder / "counts.tif", view_of(counts), {level, "about counts"});
    spim::write_tiff(folder / "numbers.tif", view_of(numbers), {level});
    EXPECT_EQ(spim::read_tiff_u16(folder / "counts.tif").samples, counts.samples);
    const auto back = spim::read_tiff_float(folder / "numbers.tif");
    ASSERT_EQ(back.samples.size(), numbers.samples.size());
    EXPECT_EQ(std::memcmp(back.samples.data(), numbers.samples.data(), back.samples.size() * 4), 0);
  }
  const spim::TiffReader reader(folder / "counts.tif");
  EXPECT_EQ(reader.info().description, "about counts");
  EXPECT_EQ(reader.info().type, spim::TiffSample::u16);
  EXPECT_LT(fs::file_size(folder / "counts.tif"), 301 * 517 * 2);
}

TEST(TiffImage, reads_strips_and_tiles_of_every_type_codec_and_byte_order) {
  const TemporaryFolder folder;
  for (const char* mode : {"wl", "wb", "w8"})
    for (const int codec : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE,
                            COMPRESSION_PACKBITS, COMPRESSION_ZSTD, COMPRESSION_LZMA})
      for (const std::uint32_t tile : {0U, 32U}) {
        if (TIFFIsCODECConfigured(static_cast<std::uint16_t>(codec)) == 0) continue;
        SCOPED_TRACE(testing::Message() << mode << " " << codec << " " << tile);
        const fs::path path = folder / "image.tif";
        const Form form{mode, codec, tile};
        const auto bytes = pattern<std::uint8_t>(45, 77);
        write_with_libtiff(path, bytes, form);
        EXPECT_THAT(spim::read_tiff_u16(path).samples, testing::ElementsAreArray(bytes.samples));
        EXPECT_THAT(spim::read_tiff_float(path).samples, testing::ElementsAreArray(bytes.samples));
        const auto counts = pattern<std::uint16_t>(45, 77);
        write_with_libtiff(path, counts, form);
        EXPECT_EQ(spim::read_tiff_u16(path).samples, counts.samples);
        EXPECT_THAT(spim::read_tiff_float(path).samples, testing::ElementsAreArray(counts.samples));
        const auto numbers = pattern<float>(45, 77);
        write_with_libtiff(path, numbers, form);
        EXPECT_EQ(spim::read_tiff_float(path).samples, numbers.samples);
        const auto doubles = pattern<double>(45, 77);
        write_with_libtiff(path, doubles, form);
        EXPECT_THAT(spim::read_tiff_float(path).samples, testing::ElementsAreArray(doubles.samples));
      }
}

TEST(TiffImage, reads_into_views_with_gaps_and_refuses_views_of_another_shape) {
  const TemporaryFolder folder;
  const auto counts = pattern<std::uint16_t>(20, 30);
  spim::write_tiff(folder / "image.tif", view_of(counts), {});
  std::vector<std::uint16_t> wide(20 * 40, 9);
  spim::TiffReader reader(folder / "image.tif");
  reader.read(spim::ImageView<std::uint16_t>{wide.data(), 20, 30, 40});
  for (std::size_t i = 0; i < 20; ++i)
    for (std::size_t j = 0; j < 40; ++j) EXPECT_EQ(wide[i * 40 + j], j < 30 ? counts.samples[i * 30 + j] : 9);
  EXPECT_THAT(message_of([&] {
                reader.read(spim::ImageView<std::uint16_t>{wide.data(), 30, 20, 20});
              }),
              HasSubstr("image.tif has 20 rows x 30 columns; an image of 30 x 20 is needed"));
}

TEST(TiffImage, images_that_are_not_grey_counts_or_numbers_are_refused_in_a_sentence) {
  const TemporaryFolder folder;
  const fs::path path = folder / "image.tif";
  const auto refusal = [&] { return message_of([&] { spim::read_tiff_u16(path); }); };
  const auto counts = pattern<std::uint16_t>(12, 12);
  write_with_libtiff(path, counts, {.photometric = PHOTOMETRIC_RGB, .samples = 3});
  EXPECT_THAT(refusal(), HasSubstr("image.tif is a colour image"));
  write_with_libtiff(path, counts, {.photometric = PHOTOMETRIC_MINISWHITE});
  EXPECT_THAT(refusal(), HasSubstr("stores white as 0"));
  write_with_libtiff(path, counts, {.pages = 2});
  EXPECT_THAT(refusal(), HasSubstr("has several pages"));
  write_with_libtiff(path, counts, {.format = SAMPLEFORMAT_INT});
  EXPECT_THAT(refusal(), HasSubstr("samples of 16 bits (signed); save it as"));
  write_with_libtiff(path, pattern<float>(12, 12), {});
  EXPECT_THAT(refusal(), HasSubstr("holds float32 samples; whole numbers are needed"));
}

TEST(TiffImage, damaged_files_are_one_sentence_wherever_they_are_cut_or_changed) {
  const TemporaryFolder folder;
  const fs::path path = folder / "image.tif";
  for (const int level : {0, 3}) {
    const auto image = pattern<std::uint16_t>(40, 50);
    spim::write_tiff(path, view_of(image), {level});
    const std::string whole = spim::test::read_file(path);
    int refused = 0;
    for (std::size_t length = 0; length < whole.size(); length += 37) {
      spim::test::write_file(path, whole.substr(0, length));
      try {
        // What libtiff writes last, that there is no next page, is no part of the image.
        EXPECT_EQ(spim::read_tiff_u16(path).samples, image.samples) << length << " of " << whole.size();
      } catch (const spim::Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("image.tif"));
        EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
        ++refused;
      }
    }
    EXPECT_GT(refused, 10);
    // Any other byte of the header and the directory: an image of the right kind or an Error, nothing else.
    for (std::size_t at = 0; at < whole.size(); at += at < 8 || at > whole.size() - 400 ? 1 : 101)
      for (const char value : {'\0', '\x7F', '\xFF'}) {
        std::string changed = whole;
        changed[at] = value;
        spim::test::write_file(path, changed);
        try {
          spim::read_tiff_float(path);
        } catch (const spim::Error& error) {
          EXPECT_THAT(error.what(), HasSubstr("image.tif"));
        }
      }
  }
}

TEST(TiffImage, what_is_no_tiff_file_is_named) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of([&] { spim::read_tiff_float(folder / "absent.tif"); }),
              HasSubstr("absent.tif cannot be opened: No such file"));
  EXPECT_THAT(message_of([&] { spim::read_tiff_float(folder.path()); }), HasSubstr("is not a file"));
  spim::test::write_file(folder / "text.tif", "hello, this is a text");
  EXPECT_THAT(message_of([&] { spim::read_tiff_float(folder / "text.tif"); }),
              HasSubstr("text.tif cannot be read"));
}

TEST(TiffImage, published_images_appear_whole_and_replace_only_when_asked) {
  const TemporaryFolder folder;
  const auto first = pattern<std::uint16_t>(9, 8);
  const auto second = pattern<float>(8, 9);
  const fs::path path = folder / "new folder/image.tif";
  spim::publish_tiff(path, view_of(first), {});
  EXPECT_THAT(message_of([&] { spim::publish_tiff(path, view_of(second), {}); }), HasSubstr("--overwrite"));
  EXPECT_EQ(spim::read_tiff_u16(path).samples, first.samples);
  spim::publish_tiff(path, view_of(second), {}, spim::Existing::replace);
  EXPECT_EQ(spim::read_tiff_float(path).samples, second.samples);
  EXPECT_EQ(std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator()), 1);
}

TEST(TiffImage, a_full_disk_is_one_sentence_with_the_name_of_the_output_and_leaves_nothing) {
  const TemporaryFolder folder;
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string message =
      message_of([&] { spim::publish_tiff(folder / "image.tif", view_of(pattern<float>(300, 300)), {0}); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, HasSubstr("image.tif cannot be written: File too large"));
  EXPECT_EQ(message.find("partial"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(TiffImage, impossible_requests_are_refused_before_anything_is_created) {
  const TemporaryFolder folder;
  const auto image = pattern<float>(3, 3);
  EXPECT_THROW(spim::publish_tiff(folder / "a.tif", view_of(image), {10}), spim::UsageError);
  EXPECT_THROW(spim::publish_tiff(folder / "a.tif", spim::ImageView<const float>{}, {}), spim::Error);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
