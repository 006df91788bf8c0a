#include "jp2_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/totals.hpp"
#include "common/volume_checks.hpp"
#include "container.hpp"
#include "plane_notes.hpp"
#include "spim/error.hpp"
#include "stored_quality.hpp"

namespace spim::jp2 {

namespace {

/// More would not be read again, and OpenJPEG computes positions in 32 bits.
constexpr std::int64_t kLongestEdge = 1 << 24;
/// A tile is handed to the library with its size in 32 bits, and is expanded to 32 bits a sample.
constexpr std::int64_t kLargestTile = 1 << 28;
constexpr std::int64_t kMostTiles = 65535;

/// A pitch of 0 is one that is not known.
void check_place(const VolumeSpec& spec) {
  for (const double pitch : {spec.voxel_um.x, spec.voxel_um.y, spec.voxel_um.z})
    if (!std::isfinite(pitch) || pitch < 0)
      throw Error(fmt::format("the voxel size ({}, {}, {}) um is not positive; give one that is",
                              spec.voxel_um.x, spec.voxel_um.y, spec.voxel_um.z));
  for (const double position : {spec.origin_um.x, spec.origin_um.y, spec.origin_um.z})
    if (!std::isfinite(position)) throw Error("the position of the plane is not finite; give one that is");
}

std::int64_t tile_for(std::int64_t wanted, Index3 shape) {
  if (wanted >= 0) return wanted;
  return shape.x > kLargestUntiled / shape.y ? kDefaultTile : 0;
}

}  // namespace

Jp2Writer::Jp2Writer(Host&, const Options& options, std::string_view path)
    : path_(path), tile_(options.integer("tile")) {
  settings_.psnr_db = parse_psnr(options.text("psnr"));
}

Index3 Jp2Writer::chunk_shape(const VolumeSpec& spec) const {
  if (spec.shape.x < 1 || spec.shape.y < 1) throw Error("the plane has no samples");
  if (spec.shape.z != 1)
    throw Error(
        fmt::format("a JPEG 2000 file holds one plane, not {}; name the files by a pattern with the number "
                    "of the plane, e.g. img_%05d.jp2",
                    spec.shape.z));
  if (spec.levels != 1)
    throw Error(fmt::format("a JPEG 2000 file has lower resolutions of its own; write 1 level instead of {}",
                            spec.levels));
  const std::int64_t tile = tile_for(tile_, spec.shape);
  if (spec.shape.x > kLongestEdge || spec.shape.y > kLongestEdge ||
      spec.shape.x > kLargestImage / spec.shape.y)
    throw Error(
        fmt::format("a plane of {} x {} samples is larger than the {} that a JPEG 2000 file may hold here",
                    spec.shape.x, spec.shape.y, kLargestImage));
  const Index3 largest =
      tile > 0 ? Index3{std::min(tile, spec.shape.x), std::min(tile, spec.shape.y), 1} : spec.shape;
  if (count(largest) > kLargestTile)
    throw Error(fmt::format("tiles of {} x {} samples are larger than {}; set a smaller tile", largest.x,
                            largest.y, kLargestTile));
  if (count(ceil_div(spec.shape, largest)) > kMostTiles)
    throw Error(fmt::format("a plane of {} x {} samples would have more than {} tiles; set a larger tile",
                            spec.shape.x, spec.shape.y, kMostTiles));
  return {spec.shape.x, spec.shape.y, 1};
}

void Jp2Writer::begin(const VolumeSpec& spec) {
  check_place(spec);
  if (spec.chunk != chunk_shape(spec)) throw Error("the chunk is not the one that chunk_shape() gave");
  settings_.tile = tile_for(tile_, spec.shape);
  settings_.comment = comment_of(spec);
  spec_ = spec;
  spec_.name = spec_.source = "";  // borrowed
  file_ = chunked::File::create(path_);
  const auto head = container_head(spec.shape.y, spec.shape.x, spec.type, {spec.voxel_um.y, spec.voxel_um.x});
  head_size_ = head.size();
}

/// OpenJPEG ends a layer with the last step before its target. The steps are small at high quality, but at 60
/// dB and less, and in small planes, one may be several dB: then it is looked at what came out, and the
/// target of the last layer raised until it holds what was asked for.
bool Jp2Writer::looks(const VolumeSpec& spec) const {
  constexpr double kFineSteps = 75;
  constexpr std::int64_t kSmallPlane = 512 * 512;
  const double wanted = settings_.psnr_db.back();
  return wanted > 0 && (wanted < kFineSteps || spec.shape.x * spec.shape.y < kSmallPlane);
}

std::int64_t Jp2Writer::compress(ImageView<const std::uint16_t> plane) const {
  constexpr double kHighestTarget = 120, kTolerance = 0.05, kLargestStep = 5;
  const auto begin = static_cast<std::int64_t>(head_size_);
  EncodeSettings settings = settings_;
  double& target = settings.psnr_db.back();
  const double wanted = target;
  for (;;) {
    const std::int64_t bytes = encode(plane, spec_.type, settings, *file_, begin);
    if (!looks(spec_) || target >= kHighestTarget) return bytes;
    const double reached = stored_psnr(*file_, {begin, begin + bytes}, plane, spec_.type);
    if (reached >= wanted - kTolerance) return bytes;
    target += std::clamp(wanted - reached, 0.5, kLargestStep);
    file_->resize(head_size_);
  }
}

void Jp2Writer::write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) {
  chunked::check_chunk(spec_, chunk, voxels.size);
  codestream_bytes_ = compress({voxels.data, voxels.size.y, voxels.size.x, voxels.stride_y});
}

void Jp2Writer::write_zero(const ChunkAddress& chunk) {
  const Index3 size = chunked::chunk_size(spec_, chunk);
  const std::vector<std::uint16_t> zeros(static_cast<std::size_t>(count(size)));
  write(chunk, dense_view<const std::uint16_t>(zeros.data(), size));
}

void Jp2Writer::finish() {
  chunked::check_begun(spec_);
  if (codestream_bytes_ == 0) throw Error("the plane has not been written; call write() before finish()");
  // Last, because it is what the file is recognised by.
  file_->write(
      0, container_head(spec_.shape.y, spec_.shape.x, spec_.type, {spec_.voxel_um.y, spec_.voxel_um.x}));
  patch_length(*file_, head_size_, static_cast<std::uint64_t>(codestream_bytes_));
  file_->close();
  file_.reset();
}

void Jp2Writer::describe(MetadataSink& sink) {
  sink.text("format", "jp2");
  chunked::describe_totals(sink, chunked::written_totals(spec_, 1, codestream_bytes_));
}

std::int64_t Jp2Writer::memory_bytes(const VolumeSpec& spec) const {
  // The plane is one chunk, so that what its call takes is all that the writer ever keeps, and far more than
  // a host would think: OpenJPEG keeps a tile as 32-bit samples and as code blocks: 10 bytes a sample of
  // camera frames, 11.5 of noise.
  constexpr std::int64_t kEncoderBytes = 13, kDecoderBytes = 10;
  const std::int64_t tile = tile_for(tile_, spec.shape);
  const std::int64_t plane = spec.shape.x * spec.shape.y;
  const std::int64_t at_once = tile > 0 ? std::min(tile, spec.shape.x) * std::min(tile, spec.shape.y) : plane;
  return kEncoderBytes * at_once + (looks(spec) ? kDecoderBytes * std::min(plane, kBandSamples) : 0);
}

}  // namespace spim::jp2
