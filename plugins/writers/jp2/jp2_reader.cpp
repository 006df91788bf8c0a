#include "jp2_reader.hpp"

#include <fmt/format.h>

#include "decode.hpp"
#include "plane_notes.hpp"
#include "spim/error.hpp"

namespace spim::jp2 {

Jp2Reader::Jp2Reader(Host&, const Options&, std::string_view path)
    : file_(chunked::File::open(path)), plane_(read_plane_file(file_)) {}

int Jp2Reader::probe(const char*, const unsigned char* head, std::uint64_t head_size) noexcept {
  // Below the reader of frames: a file of its own is rather a stack of one than a volume of one plane.
  return recognise(std::as_bytes(std::span(head, head_size))) > 0 ? 50 : 0;
}

VolumeInfo Jp2Reader::info() const {
  return {plane_.image.type(), 1};
}

LevelInfo Jp2Reader::level(std::int32_t) const {
  const Index3 shape{plane_.image.columns, plane_.image.rows, 1};
  const PlaneNotes notes = notes_of(plane_.image.comment);
  if (notes.voxel_um != Vec3{}) return {shape, shape, notes.voxel_um, notes.origin_um};
  return {shape, shape, {plane_.pitch.column_um, plane_.pitch.row_um, 0}, {}};
}

void Jp2Reader::read(std::int32_t level, const Box& box, VolumeView<std::uint16_t> out) {
  const CodestreamHeader& image = plane_.image;
  if (level != 0 || !contains({{0, 0, 0}, {image.columns, image.rows, 1}}, box) || box.size() != out.size)
    throw Error(fmt::format("{}: the part to read is not in its plane of {} x {}", file_.path().string(),
                            image.columns, image.rows));
  if (count(out.size) == 0) return;
  decode(file_, plane_, {box.begin.y, box.begin.x}, {out.data, out.size.y, out.size.x, out.stride_y});
}

void Jp2Reader::describe(MetadataSink& sink) {
  sink.text("format", "jp2");
  describe_plane_file(sink, plane_);
}

void describe_plane_file(MetadataSink& sink, const PlaneFile& plane) {
  const CodestreamHeader& image = plane.image;
  sink.integer("bits per sample", image.bits);
  sink.integer("quality layers", image.layers);
  sink.integer("resolutions", image.resolutions);
  sink.text("wavelet", image.lossless ? "reversible" : "irreversible");
  sink.integer("tile columns", image.tile_columns);
  sink.integer("tile rows", image.tile_rows);
  sink.integer("stored bytes", plane.end - plane.begin);
  if (plane.pitch.column_um > 0) sink.number("column pitch um", plane.pitch.column_um);
  if (plane.pitch.row_um > 0) sink.number("row pitch um", plane.pitch.row_um);
  if (!image.comment.empty()) sink.text("comment", image.comment);
}

}  // namespace spim::jp2
