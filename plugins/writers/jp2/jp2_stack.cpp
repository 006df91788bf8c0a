#include "jp2_stack.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/file_list.hpp"
#include "decode.hpp"
#include "jp2_reader.hpp"
#include "plane_notes.hpp"
#include "spim/error.hpp"

namespace spim::jp2 {

namespace {

reading::Endings endings() {
  return {".jp2", ".j2k", ".j2c", ".jpc", ".jpf"};
}

int probe_file(const char* path) {
  const auto file = chunked::File::open(path);
  std::byte head[12];
  const std::span used(head, std::min<std::uint64_t>(file.size(), sizeof head));
  file.read(0, used);
  return recognise(used);
}

/// parallel_for with anything that can be called.
template <class Body>
void for_each_frame(Host& host, std::size_t count, Body body) {
  host.parallel_for(
      static_cast<std::int64_t>(count),
      [](void* context, std::int64_t i) { (*static_cast<Body*>(context))(static_cast<std::size_t>(i)); },
      &body);
}

}  // namespace

Jp2Stack::Jp2Stack(Host& host, const Options&, std::string_view path)
    : files_(reading::list_files(path, endings())) {
  reading::check_numbering(files_);
  first_ = read_plane_file(chunked::File::open(files_.front())).image;
  for_each_frame(host, files_.size(),
                 [&](std::size_t i) { (void)open_frame(chunked::File::open(files_[i])); });
  const auto frames = static_cast<std::int64_t>(files_.size());
  info_ = {frames, frames, first_.rows, first_.columns, first_.type()};
}

int Jp2Stack::probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept {
  const int sure = recognise(std::as_bytes(std::span(head, head_size)));
  if (sure > 0) return sure;
  return head_size == 0 ? reading::probe_list(path, endings(), probe_file) : 0;
}

PlaneFile Jp2Stack::open_frame(const chunked::File& file) const {
  PlaneFile plane = read_plane_file(file);
  const CodestreamHeader& image = plane.image;
  if (image.rows != first_.rows || image.columns != first_.columns || image.bits != first_.bits)
    throw Error(
        fmt::format("{} is {} x {} of {} bits, {} is {} x {} of {} bits; all frames of a stack are alike",
                    file.path().string(), image.columns, image.rows, image.bits, files_.front(),
                    first_.columns, first_.rows, first_.bits));
  return plane;
}

void Jp2Stack::read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) {
  if (frame < 0 || frame >= info_.frames || first_row < 0 || out.rows < 0 ||
      first_row > info_.rows - out.rows || out.columns != info_.columns)
    throw Error(fmt::format("rows {} to {} of frame {} are not in the stack of {} frames of {} x {}",
                            first_row, first_row + out.rows, frame, info_.frames, info_.columns, info_.rows));
  if (out.rows == 0) return;
  const chunked::File file = chunked::File::open(files_[static_cast<std::size_t>(frame)]);
  decode(file, open_frame(file), {first_row, 0}, out);
}

FrameStamp Jp2Stack::stamp(std::int64_t frame) {
  if (frame < 0 || frame >= info_.frames)
    throw Error(fmt::format("frame {} is not in the stack of {} frames", frame, info_.frames));
  const auto file = chunked::File::open(files_[static_cast<std::size_t>(frame)]);
  return notes_of(open_frame(file).image.comment).stamp;
}

void Jp2Stack::describe(MetadataSink& sink) {
  sink.text("format", "jp2");
  sink.text("first file", files_.front());
  sink.text("last file", files_.back());
  describe_plane_file(sink, read_plane_file(chunked::File::open(files_.front())));
}

}  // namespace spim::jp2
