#include "encode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <memory>

#include "common/scratch.hpp"
#include "openjpeg.hpp"
#include "spim/error.hpp"

namespace spim::jp2 {

namespace {

using Plane = ImageView<const std::uint16_t>;

constexpr std::size_t kMostLayers = 100;  // of OpenJPEG
constexpr double kHighestPsnr = 200;
constexpr int kResolutions = 6;  // five decompositions, as the original programs write

/// Rows and columns of a plane that one tile covers.
struct TileBox {
  std::int64_t row, column, rows, columns;
};

/// The samples of a tile as OpenJPEG takes them: dense, one byte each for uint8. Points into `plane` where
/// they lie like that already.
OPJ_BYTE* tile_samples(Plane plane, const TileBox& box, PixelType type, chunked::Scratch& scratch) {
  const std::uint16_t* first = plane.row(box.row) + box.column;
  const auto count = static_cast<std::size_t>(box.rows * box.columns);
  if (type == PixelType::u16 && (plane.row_stride == box.columns || box.rows == 1))
    return reinterpret_cast<OPJ_BYTE*>(const_cast<std::uint16_t*>(first));  // only read by the library
  std::byte* to = scratch.bytes(count * static_cast<std::size_t>(bytes_of(type)));
  for (std::int64_t row = 0; row < box.rows; ++row) {
    const std::uint16_t* from = first + row * plane.row_stride;
    if (type == PixelType::u16) {
      std::memcpy(to + row * box.columns * 2, from, static_cast<std::size_t>(box.columns) * 2);
      continue;
    }
    for (std::int64_t column = 0; column < box.columns; ++column) {
      if (from[column] > UINT8_MAX)
        throw Error(fmt::format("row {}, column {} is {}, more than the 255 of uint8; write uint16",
                                box.row + row, box.column + column, from[column]));
      to[row * box.columns + column] = static_cast<std::byte>(from[column]);
    }
  }
  return reinterpret_cast<OPJ_BYTE*>(to);
}

/// Fewer decompositions for planes that are too small to be halved so often.
int resolutions_for(std::int64_t shortest_edge) {
  return std::min(kResolutions, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(shortest_edge))));
}

void set_parameters(opj_cparameters_t& parameters, Plane plane, const EncodeSettings& settings) {
  opj_set_default_encoder_parameters(&parameters);
  parameters.cp_fixed_quality = 1;
  parameters.tcp_numlayers = static_cast<int>(settings.psnr_db.size());
  for (std::size_t i = 0; i < settings.psnr_db.size(); ++i)
    parameters.tcp_distoratio[i] = static_cast<float>(settings.psnr_db[i]);
  parameters.irreversible = 0;
  parameters.cp_comment = const_cast<char*>(settings.comment.c_str());  // copied by the library
  std::int64_t shortest = std::min(plane.rows, plane.columns);
  if (settings.tile > 0) {
    parameters.tile_size_on = OPJ_TRUE;
    parameters.cp_tdx = parameters.cp_tdy = static_cast<int>(settings.tile);
    shortest = std::min(shortest, settings.tile);
  }
  parameters.numresolution = resolutions_for(shortest);
}

Image describe_plane(Plane plane, PixelType type) {
  opj_image_cmptparm_t component{};
  component.dx = component.dy = 1;
  component.w = static_cast<OPJ_UINT32>(plane.columns);
  component.h = static_cast<OPJ_UINT32>(plane.rows);
  component.prec = static_cast<OPJ_UINT32>(8 * bytes_of(type));
  Image image(opj_image_tile_create(1, &component, OPJ_CLRSPC_GRAY));
  if (!image) throw Error("there is no memory to compress a plane");
  image->x1 = component.w;
  image->y1 = component.h;
  return image;
}

}  // namespace

std::vector<double> parse_psnr(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    throw UsageError(
        fmt::format("the list of signal to noise ratios {} {}; give rising numbers of dB separated "
                    "by commas, 0 as the last one for lossless, e.g. 30,40,50,60,70,80",
                    text, why));
  };
  std::vector<double> values;
  for (const char *at = text.data(), *const end = at + text.size();;) {
    double value = 0;
    const auto [stopped, fault] = std::from_chars(at, end, value, std::chars_format::fixed);
    if (fault != std::errc() || (stopped != end && *stopped != ',')) refuse("is not a list of numbers");
    if (!(value >= 0 && value <= kHighestPsnr)) refuse("has a number that is not in 0 to 200");
    if (!values.empty() && values.back() == 0) refuse("goes on behind the lossless layer");
    if (!values.empty() && value != 0 && value <= values.back()) refuse("does not rise");
    values.push_back(value);
    if (stopped == end) break;
    at = stopped + 1;
  }
  if (values.size() > kMostLayers) refuse("has more than 100 layers");
  return values;
}

std::int64_t encode(Plane plane, PixelType type, const EncodeSettings& settings, const chunked::File& file,
                    std::int64_t begin) {
  const std::int64_t tile_rows = settings.tile > 0 ? std::min(settings.tile, plane.rows) : plane.rows;
  const std::int64_t tile_columns =
      settings.tile > 0 ? std::min(settings.tile, plane.columns) : plane.columns;
  const auto parameters = std::make_unique<opj_cparameters_t>();
  set_parameters(*parameters, plane, settings);
  const Image image = describe_plane(plane, type);
  Complaints complaints;
  FileStream target = FileStream::writing(file, begin);
  const Codec codec(opj_create_compress(OPJ_CODEC_J2K));
  const Stream stream = target.open();
  if (!codec || !stream) throw Error("there is no memory to compress a plane");
  complaints.listen(codec.get());
  const auto require = [&](OPJ_BOOL done) {
    target.rethrow();
    if (!done) throw Error(fmt::format("the plane cannot be compressed (OpenJPEG: {})", complaints.text()));
  };
  require(opj_setup_encoder(codec.get(), parameters.get(), image.get()));
  require(opj_start_compress(codec.get(), image.get(), stream.get()));
  static thread_local chunked::Scratch scratch;
  OPJ_UINT32 index = 0;
  for (std::int64_t row = 0; row < plane.rows; row += tile_rows)
    for (std::int64_t column = 0; column < plane.columns; column += tile_columns) {
      const TileBox box{row, column, std::min(tile_rows, plane.rows - row),
                        std::min(tile_columns, plane.columns - column)};
      OPJ_BYTE* samples = tile_samples(plane, box, type, scratch);
      require(opj_write_tile(codec.get(), index++, samples,
                             static_cast<OPJ_UINT32>(box.rows * box.columns * bytes_of(type)), stream.get()));
    }
  require(opj_end_compress(codec.get(), stream.get()));
  return target.written();
}

}  // namespace spim::jp2
