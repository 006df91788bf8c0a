#include "tiff_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "common/chunk_grid.hpp"
#include "common/volume_checks.hpp"
#include "halve_plane.hpp"
#include "spim/error.hpp"

namespace spim {

namespace {

using tiff::BlockShape;
using tiff::Directory;
using tiff::Tag;
using tiff::Variant;

/// Decoded size of a strip: large enough for deflate to find repetitions, small enough for readers of a part.
constexpr std::int64_t kStripBytes = 256 * 1024;
constexpr std::int64_t kDefaultTile = 512;
/// From here on offsets may not fit into 32 bits; deflate may add a little, directories more.
constexpr std::uint64_t kClassicBytes = 4'000'000'000;
constexpr std::uint64_t kBytesPerBlock = 32, kBytesPerPage = 512;
/// Behind the header of either variant.
constexpr std::uint64_t kFirstByte = 16;
/// A file of more pages and blocks than this is a mistake of the chunk size; their list alone takes GBs.
constexpr std::int64_t kMostBlocks = std::int64_t{1} << 28;

std::int64_t round_up(std::int64_t n, std::int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

std::vector<std::byte> header_of(Variant variant, std::uint64_t first_directory) {
  std::vector<std::byte> bytes;
  tiff::append_number(bytes, 0x4949, 2);
  if (variant == Variant::classic) {
    tiff::append_number(bytes, 42, 2);
    tiff::append_number(bytes, first_directory, 4);
  } else {
    tiff::append_number(bytes, 43, 2);
    tiff::append_number(bytes, 8, 4);
    tiff::append_number(bytes, first_directory, 8);
  }
  return bytes;
}

/// The writer takes planes: a chunk is one plane thick.
ImageView<const std::uint16_t> plane_of(VolumeView<const std::uint16_t> voxels) {
  return {voxels.data, voxels.size.y, voxels.size.x, voxels.stride_y};
}

}  // namespace

TiffWriter::TiffWriter(Host&, const Options& options, std::string_view path)
    : path_(path),
      encoding_(tiff::encoding_of(options)),
      tile_(options.integer("tile")),
      ome_(options.boolean("ome")) {
  if (tile_ % tiff::kTileUnit != 0)
    throw UsageError(fmt::format("tile is {}; give a multiple of {}", tile_, tiff::kTileUnit));
}

Index3 TiffWriter::chunk_shape(const VolumeSpec& spec) const {
  const bool wants_tiles = tile_ > 0 || must_tile(spec) || (spec.chunk.x > 0 && spec.chunk.x < spec.shape.x);
  if (!wants_tiles) {
    const std::int64_t row_bytes = spec.shape.x * bytes_of(spec.type);
    const std::int64_t rows =
        spec.chunk.y > 0 ? spec.chunk.y : kStripBytes / std::max<std::int64_t>(row_bytes, 1);
    return {spec.shape.x, std::clamp<std::int64_t>(rows, 1, spec.shape.y), 1};
  }
  // Each coarser level of a pyramid has tiles of half the side, so that a tile makes one of each level.
  const std::int64_t unit = tiff::kTileUnit << (must_tile(spec) ? std::min(spec.levels - 1, 10) : 0);
  const std::int64_t side = tile_ > 0 ? tile_ : kDefaultTile;
  const auto rounded = [&](std::int64_t wanted) { return round_up(wanted > 0 ? wanted : side, unit); };
  return {rounded(spec.chunk.x), rounded(spec.chunk.y), 1};
}

TiffWriter::Level TiffWriter::make_level(std::int32_t number) const {
  Level level;
  level.shape = level_shape(spec_.shape, number);
  level.tile_x = spec_.chunk.x;
  level.tile_y = spec_.chunk.y;
  if (ome_) {
    level.shape.z = spec_.shape.z;
    level.tile_x >>= number;
    level.tile_y >>= number;
  }
  level.grid = ceil_div(level.shape, {level.tile_x, level.tile_y, 1});
  level.blocks.resize(static_cast<std::size_t>(count(level.grid)));
  return level;
}

void TiffWriter::begin(const VolumeSpec& spec) {
  constexpr std::int64_t kMostSide = std::numeric_limits<std::int32_t>::max();
  if (spec.shape.x > kMostSide || spec.shape.y > kMostSide)
    throw Error(fmt::format("a plane of {} x {} pixels is larger than a TIFF file can have", spec.shape.x,
                            spec.shape.y));
  chunked::check_grid({spec.shape, spec.chunk}, bytes_of(spec.type), "the volume");
  if (const Index3 grid = ceil_div(spec.shape, spec.chunk); grid.x * grid.y > kMostBlocks / grid.z)
    throw Error(fmt::format("the volume has {} x {} x {} strips or tiles; give a larger --chunk-size", grid.x,
                            grid.y, grid.z));
  if (must_tile(spec) && (spec.chunk.x >> (spec.levels - 1)) < tiff::kTileUnit)
    throw Error(fmt::format("a pyramid of {} levels needs tiles of {} pixels; write fewer --levels",
                            spec.levels, tiff::kTileUnit << (spec.levels - 1)));
  description_ = {spec, spec.name, spec.source};
  spec_ = spec;
  spec_.name = spec_.source = "";  // borrowed
  std::uint64_t raw = kFirstByte;
  for (std::int32_t l = 0; l < spec_.levels; ++l) {
    levels_.push_back(make_level(l));
    Level& level = levels_.back();
    level.begin = raw;
    raw = place_in_plain_file(level, {0, 0, level.shape.z});
  }
  const std::uint64_t blocks = levels_.front().blocks.size() * 2 * kBytesPerBlock;
  const std::uint64_t pages = static_cast<std::uint64_t>(spec_.shape.z) * 2 * kBytesPerPage;
  variant_ = raw + blocks + pages > kClassicBytes ? Variant::big : Variant::classic;
  file_ = chunked::File::create(path_);
  end_ = encoding_.codec == tiff::Codec::none ? raw : kFirstByte;
}

BlockShape TiffWriter::block_shape(const Level& level, Index3 size) const noexcept {
  return tiled() ? BlockShape{level.tile_y, level.tile_x} : BlockShape{size.y, level.shape.x};
}

/// Where a block begins that stands in the order of pages, rows and columns.
std::uint64_t TiffWriter::place_in_plain_file(const Level& level, Index3 index) const noexcept {
  const std::int64_t rows = tiled() ? level.grid.y * level.tile_y : level.shape.y;
  const std::int64_t columns = tiled() ? level.grid.x * level.tile_x : level.shape.x;
  const std::int64_t before = index.z * rows * columns + index.y * level.tile_y * columns +
                              (tiled() ? index.x * level.tile_x * level.tile_y : 0);
  return level.begin + static_cast<std::uint64_t>(before * bytes_of(spec_.type));
}

TiffWriter::Block& TiffWriter::block_at(Level& level, Index3 index) const noexcept {
  return level.blocks[static_cast<std::size_t>((index.z * level.grid.y + index.y) * level.grid.x + index.x)];
}

void TiffWriter::write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) {
  chunked::check_chunk(spec_, chunk, voxels.size);
  if (ome_ && chunk.level > 0) return;  // made of the planes here: the coarser levels of OME-TIFF keep z
  store(levels_[static_cast<std::size_t>(chunk.level)], chunk.index, plane_of(voxels));
  if (ome_) store_coarser(chunk.index, plane_of(voxels));
}

void TiffWriter::store_coarser(Index3 index, ImageView<const std::uint16_t> voxels) {
  std::vector<std::uint16_t> current;
  for (std::size_t l = 1; l < levels_.size(); ++l) {
    std::vector<std::uint16_t> half = tiff::halve_plane(voxels);
    current = std::move(half);  // only now: `voxels` may have shown it
    const std::int64_t columns = ceil_div(voxels.columns, 2);
    voxels = {current.data(), ceil_div(voxels.rows, 2), columns, columns};
    store(levels_[l], index, voxels);
  }
}

void TiffWriter::store(Level& level, Index3 index, ImageView<const std::uint16_t> voxels) {
  const BlockShape shape = block_shape(level, {voxels.columns, voxels.rows, 1});
  const auto bytes = tiff::encode_block(encoding_, voxels, shape, spec_.type);
  const std::uint64_t place =
      encoding_.codec == tiff::Codec::none ? place_in_plain_file(level, index) : end_.fetch_add(bytes.size());
  file_->write(place, bytes);
  block_at(level, index) = {place, bytes.size()};
}

void TiffWriter::write_zero(const ChunkAddress& chunk) {
  (void)chunked::chunk_size(spec_, chunk);
  if (ome_ && chunk.level > 0) return;
  for (std::size_t l = 0; l < levels_.size(); ++l)
    if (ome_ || static_cast<std::int32_t>(l) == chunk.level) store_zero(levels_[l], chunk.index);
}

void TiffWriter::store_zero(Level& level, Index3 index) {
  const Index3 begin{index.x * level.tile_x, index.y * level.tile_y, 0};
  const Index3 size = min(Index3{level.tile_x, level.tile_y, 1}, level.shape - begin);
  const BlockShape shape = block_shape(level, size);
  const std::int64_t samples = shape.rows * shape.columns;
  if (encoding_.codec == tiff::Codec::none) {  // what is not written reads as zero
    const std::uint64_t bytes = static_cast<std::uint64_t>(samples * bytes_of(spec_.type));
    block_at(level, index) = {place_in_plain_file(level, index), bytes};
    return;
  }
  const std::lock_guard lock(zero_mutex_);
  const auto found = std::find_if(zeros_.begin(), zeros_.end(), [&](const ZeroBlock& zero) {
    return zero.shape.rows == shape.rows && zero.shape.columns == shape.columns;
  });
  if (found != zeros_.end()) {
    block_at(level, index) = found->block;
    return;
  }
  const std::vector<std::uint16_t> zero(static_cast<std::size_t>(samples));
  store(level, index, {zero.data(), shape.rows, shape.columns, shape.columns});
  zeros_.push_back({shape, block_at(level, index)});
}

void TiffWriter::check_complete() const {
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    const Level& level = levels_[l];
    for (std::size_t i = 0; i < level.blocks.size(); ++i)
      if (level.blocks[i].bytes == 0) {
        const auto n = static_cast<std::int64_t>(i);
        throw Error(fmt::format("chunk ({},{},{}) of level {} was never written", n % level.grid.x,
                                n / level.grid.x % level.grid.y, n / level.grid.x / level.grid.y, l));
      }
  }
}

Directory TiffWriter::directory_of(const Level& level, std::int64_t page) const {
  Directory directory(variant_);
  directory.add_long(Tag::new_subfile_type, &level == &levels_.front() ? 0 : 1);
  directory.add_long(Tag::image_width, static_cast<std::uint32_t>(level.shape.x));
  directory.add_long(Tag::image_length, static_cast<std::uint32_t>(level.shape.y));
  directory.add_short(Tag::bits_per_sample, static_cast<std::uint16_t>(8 * bytes_of(spec_.type)));
  directory.add_short(Tag::compression, encoding_.compression_tag());
  directory.add_short(Tag::photometric, 1);  // black is zero
  directory.add_short(Tag::samples_per_pixel, 1);
  directory.add_short(Tag::planar_configuration, 1);
  directory.add_short(Tag::sample_format, 1);  // unsigned
  if (encoding_.predictor == tiff::Predictor::horizontal) directory.add_short(Tag::predictor, 2);
  const auto per_page = static_cast<std::size_t>(level.grid.x * level.grid.y);
  const auto* const blocks = level.blocks.data() + static_cast<std::size_t>(page) * per_page;
  std::vector<std::uint64_t> offsets(per_page), lengths(per_page);
  for (std::size_t i = 0; i < per_page; ++i) {
    offsets[i] = blocks[i].offset;
    lengths[i] = blocks[i].bytes;
  }
  if (tiled()) {
    directory.add_long(Tag::tile_width, static_cast<std::uint32_t>(level.tile_x));
    directory.add_long(Tag::tile_length, static_cast<std::uint32_t>(level.tile_y));
  } else {
    directory.add_long(Tag::rows_per_strip, static_cast<std::uint32_t>(level.tile_y));
  }
  directory.add_offsets(tiled() ? Tag::tile_offsets : Tag::strip_offsets, offsets);
  directory.add_offsets(tiled() ? Tag::tile_byte_counts : Tag::strip_byte_counts, lengths);
  return directory;
}

void TiffWriter::add_description(Directory& directory) const {
  directory.add_text(Tag::image_description,
                     ome_ ? tiff::ome_description(description_) : tiff::imagej_description(description_));
  directory.add_text(Tag::software, "spimstitch " SPIMSTITCH_VERSION);
  if (const std::string time = tiff::date_time(spec_.stamp); !time.empty())
    directory.add_text(Tag::date_time, time);
}

std::vector<std::uint64_t> TiffWriter::write_coarser_pages(std::int64_t page, std::vector<std::byte>& bytes,
                                                           std::uint64_t place) const {
  std::vector<std::uint64_t> places;
  for (std::size_t l = 1; l < levels_.size(); ++l) {
    // A level that is coarser in z as well hangs on the planes at which its own begin.
    const std::int64_t step = ome_ ? 1 : std::int64_t{1} << l;
    if (page % step != 0) break;
    places.push_back(place + bytes.size());
    directory_of(levels_[l], page / step).encode(places.back(), 0, bytes);
  }
  return places;
}

/// Returns the place of the first directory.
std::uint64_t TiffWriter::write_pages() {
  constexpr std::size_t kBuffer = std::size_t{4} << 20;
  // ImageJ knows micrometres by the description only, others by centimetres.
  const double per_unit = ome_ ? 1e4 : 1;
  std::uint64_t place = (end_ + 1) / 2 * 2, first = 0;
  std::vector<std::byte> bytes;
  for (std::int64_t page = 0; page < spec_.shape.z; ++page) {
    const std::vector<std::uint64_t> coarser = write_coarser_pages(page, bytes, place);
    Directory directory = directory_of(levels_.front(), page);
    if (page == 0) add_description(directory);
    if (spec_.voxel_um.x > 0 && spec_.voxel_um.y > 0) {
      directory.add_rational(Tag::x_resolution, per_unit / spec_.voxel_um.x);
      directory.add_rational(Tag::y_resolution, per_unit / spec_.voxel_um.y);
      directory.add_short(Tag::resolution_unit, ome_ ? 3 : 1);
    }
    if (!coarser.empty()) directory.add_directories(Tag::sub_ifds, coarser);
    const std::uint64_t here = place + bytes.size();
    if (page == 0) first = here;
    // The next page's directory stands behind those of its own coarser levels, whose sizes do not depend on
    // where they stand.
    const std::uint64_t behind = here + directory.size();
    std::uint64_t next = 0;
    if (page + 1 < spec_.shape.z) {
      std::vector<std::byte> skipped;
      (void)write_coarser_pages(page + 1, skipped, behind);
      next = behind + skipped.size();
    }
    directory.encode(here, next, bytes);
    if (bytes.size() >= kBuffer || page + 1 == spec_.shape.z) {
      file_->write(place, bytes);
      place += bytes.size();
      bytes.clear();
    }
  }
  bytes_written_ = place;
  return first;
}

void TiffWriter::finish() {
  chunked::check_begun(spec_);
  check_complete();
  const std::uint64_t first = write_pages();
  file_->write(0, header_of(variant_, first));
  file_->close();
}

void TiffWriter::describe(MetadataSink& sink) {
  sink.text("format", variant_ == Variant::big ? (ome_ ? "OME-TIFF (BigTIFF)" : "BigTIFF")
                                               : (ome_ ? "OME-TIFF" : "TIFF"));
  sink.integer("pages", spec_.shape.z);
  sink.text("blocks", tiled() ? fmt::format("tiles of {} x {}", spec_.chunk.x, spec_.chunk.y)
                              : fmt::format("strips of {} rows", spec_.chunk.y));
  sink.integer("volume bytes", count(spec_.shape) * bytes_of(spec_.type));
  sink.integer("stored bytes", static_cast<std::int64_t>(bytes_written_));
}

}  // namespace spim
