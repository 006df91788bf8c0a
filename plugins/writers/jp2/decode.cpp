#include "decode.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/subject.hpp"
#include "openjpeg.hpp"
#include "spim/clones.hpp"
#include "spim/error.hpp"

namespace spim::jp2 {

namespace {

/// Decoded samples are in the range of their type already.
SPIM_CLONES void narrow(const OPJ_INT32* from, std::int64_t count, std::uint16_t* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<std::uint16_t>(from[i]);
}

void copy_out(const opj_image_comp_t& decoded, ImageView<std::uint16_t> out) {
  for (std::int64_t row = 0; row < out.rows; ++row)
    narrow(decoded.data + row * out.columns, out.columns, out.row(row));
}

void decode_checked(const chunked::File& file, const PlaneFile& plane, Corner first,
                    ImageView<std::uint16_t> out) {
  Complaints complaints;
  FileStream source = FileStream::reading(file, plane.begin, plane.end);
  const Codec codec(opj_create_decompress(OPJ_CODEC_J2K));
  const Stream stream = source.open();
  if (!codec || !stream) throw Error("there is no memory to decompress it");
  complaints.listen(codec.get());
  const auto require = [&](bool done) {
    source.rethrow();
    if (!done || complaints.any())
      throw Error(fmt::format("is damaged (OpenJPEG: {}); copy the file again", complaints.text()));
  };
  opj_dparameters_t parameters{};
  opj_set_default_decoder_parameters(&parameters);
  require(opj_setup_decoder(codec.get(), &parameters) && opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE));
  opj_image_t* described = nullptr;
  const bool readable = opj_read_header(stream.get(), codec.get(), &described);
  const Image image(described);
  require(readable && image != nullptr);
  const std::int64_t left = plane.image.first_column + first.column, top = plane.image.first_row + first.row;
  const auto coordinate = [](std::int64_t value) { return static_cast<OPJ_INT32>(value); };
  if (out.rows != plane.image.rows || out.columns != plane.image.columns)
    require(opj_set_decode_area(codec.get(), image.get(), coordinate(left), coordinate(top),
                                coordinate(left + out.columns), coordinate(top + out.rows)));
  require(opj_decode(codec.get(), stream.get(), image.get()));
  require(opj_end_decompress(codec.get(), stream.get()));
  const opj_image_comp_t& decoded = image->comps[0];
  if (image->numcomps != 1 || decoded.data == nullptr || decoded.h != out.rows || decoded.w != out.columns)
    throw Error("is damaged (it decodes to another size than its header says); copy the file again");
  copy_out(decoded, out);
}

}  // namespace

void decode(const chunked::File& file, const PlaneFile& plane, Corner first, ImageView<std::uint16_t> out) {
  chunked::with_subject([&] { return file.path().string(); },
                        [&] { decode_checked(file, plane, first, out); });
}

}  // namespace spim::jp2
