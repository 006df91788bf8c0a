#include "tiff_volume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/chunk_grid.hpp"
#include "for_each.hpp"
#include "signature.hpp"
#include "spim/error.hpp"
#include "spim/volume_writer.hpp"
#include "tiff_metadata.hpp"

namespace spim {

namespace {

constexpr std::size_t kMostLevels = 32;

}  // namespace

TiffVolume::TiffVolume(Host& host, const Options&, std::string_view path)
    : file_(std::make_shared<tiff::PageFile>(std::string(path))), pool_([this](std::int64_t place) {
        return std::make_unique<tiff::Page>(file_, static_cast<std::uint64_t>(place), file_->path());
      }) {
  std::vector<std::uint64_t> places = file_->places();
  std::vector<tiff::PageInfo> pages = look_at_pages(host, places, "page");
  first_ = pages.front();
  Level full;
  std::vector<tiff::PageInfo> kept;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (i > 0 && pages[i].reduced) continue;
    if (pages[i].rows != first_.rows || pages[i].columns != first_.columns || pages[i].type != first_.type)
      throw Error(
          fmt::format("page {} of {} has {} rows x {} columns, the first {} x {}; planes of a volume "
                      "have one shape and type",
                      i, file_->path(), pages[i].rows, pages[i].columns, first_.rows, first_.columns));
    full.places.push_back(places[i]);
    kept.push_back(std::move(pages[i]));
  }
  const std::int64_t planes = static_cast<std::int64_t>(full.places.size());
  full.info.shape = {first_.columns, first_.rows, planes};
  full.info.chunk = {first_.block_columns,
                     first_.tiled ? first_.block_rows : std::min(first_.block_rows, first_.rows), 1};
  levels_.push_back(std::move(full));
  add_levels(host, kept);
  set_lengths();
}

std::vector<tiff::PageInfo> TiffVolume::look_at_pages(Host& host, const std::vector<std::uint64_t>& places,
                                                      const char* what) const {
  std::vector<tiff::PageInfo> pages(places.size());
  tiff::for_each(host, static_cast<std::int64_t>(places.size()), [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    pages[at] = tiff::Page(file_, places[at], fmt::format("{} {} of {}", what, i, file_->path())).info();
  });
  return pages;
}

void TiffVolume::add_levels(Host& host, const std::vector<tiff::PageInfo>& pages) {
  const Index3 shape = levels_.front().info.shape;
  const std::size_t coarser = std::min(pages.front().coarser.size(), kMostLevels);
  // In OME-TIFF every page has all levels.
  const bool keeps_z = std::all_of(pages.begin(), pages.end(),
                                   [&](const auto& page) { return page.coarser.size() >= coarser; });
  for (std::size_t l = 1; l <= coarser; ++l) {
    const auto step = keeps_z ? std::size_t{1} : std::size_t{1} << l;
    std::vector<std::uint64_t> places;
    for (std::size_t page = 0; page < pages.size(); page += step) {
      if (pages[page].coarser.size() < l) return;  // of some other meaning
      places.push_back(pages[page].coarser[l - 1]);
    }
    Index3 coarse = level_shape(shape, static_cast<std::int32_t>(l));
    if (keeps_z) coarse.z = shape.z;
    add_level(host, std::move(places), coarse);
  }
}

void TiffVolume::add_level(Host& host, std::vector<std::uint64_t> places, Index3 shape) {
  const std::vector<tiff::PageInfo> pages = look_at_pages(host, places, "plane of lower resolution");
  for (const tiff::PageInfo& page : pages)
    if (page.rows != shape.y || page.columns != shape.x || page.type != first_.type)
      throw Error(
          fmt::format("{} has a plane of lower resolution of {} rows x {} columns where {} x {} were "
                      "expected; it is damaged",
                      file_->path(), page.rows, page.columns, shape.y, shape.x));
  Level level;
  level.places = std::move(places);
  level.info.shape = shape;
  const tiff::PageInfo& page = pages.front();
  level.info.chunk = page.tiled ? Index3{page.block_columns, page.block_rows, 1}
                                : Index3{levels_.front().info.chunk.x, levels_.front().info.chunk.y, 1};
  levels_.push_back(std::move(level));
}

void TiffVolume::set_lengths() {
  const tiff::Lengths lengths = tiff::lengths_of(first_.description, first_.pixels_per_unit);
  Vec3 voxel = lengths.voxel_um;
  if (voxel.x == 0 || voxel.y == 0) voxel = {first_.voxel_um.x, first_.voxel_um.y, voxel.z};
  const Index3 full = levels_.front().info.shape;
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    LevelInfo& info = levels_[l].info;
    const double factor = std::ldexp(1.0, static_cast<int>(l));
    const double factor_z = info.shape.z == full.z && full.z > 1 && l > 0 ? 1 : factor;
    info.voxel_um = {voxel.x * factor, voxel.y * factor, voxel.z * factor_z};
    info.origin_um = lengths.origin_um + Vec3{voxel.x * (factor - 1) / 2, voxel.y * (factor - 1) / 2,
                                              voxel.z * (factor_z - 1) / 2};
  }
}

VolumeInfo TiffVolume::info() const {
  return {first_.type, static_cast<std::int32_t>(levels_.size())};
}

LevelInfo TiffVolume::level(std::int32_t level) const {
  return levels_.at(static_cast<std::size_t>(level)).info;
}

void TiffVolume::read(std::int32_t level_index, const Box& box, VolumeView<std::uint16_t> out) {
  const Level& level = levels_.at(static_cast<std::size_t>(level_index));
  chunked::check_request(level.info.shape, box, out.size);
  if (box.empty()) return;
  const Index3 size = box.size();
  for (std::int64_t z = 0; z < size.z; ++z) {
    const std::uint64_t place = level.places[static_cast<std::size_t>(box.begin.z + z)];
    pool_.with(static_cast<std::int64_t>(place), [&](tiff::Page& page) {
      page.read(box.begin.y, box.begin.x, {out.row(0, z), size.y, size.x, out.stride_y});
    });
  }
}

void TiffVolume::describe(MetadataSink& sink) {
  const Index3 shape = levels_.front().info.shape;
  sink.text("format", first_.description.find("<OME") != std::string::npos ? "OME-TIFF" : "TIFF");
  sink.text("compression", first_.compression);
  sink.text("blocks", fmt::format("{} of {} x {}", first_.tiled ? "tiles" : "strips",
                                  levels_.front().info.chunk.x, levels_.front().info.chunk.y));
  if (!first_.software.empty()) sink.text("software", first_.software);
  sink.integer("volume bytes", count(shape) * bytes_of(first_.type));
  sink.integer("stored bytes", file_->bytes());
}

int TiffVolume::probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept {
  const int sure = tiff::sure_of_head(head, head_size);
  if (sure == 0) return 0;
  try {  // surer than the reader of frames where the file says that it is a volume
    const auto file = std::make_shared<tiff::PageFile>(path);
    const tiff::PageInfo page = tiff::Page(file, file->first(), path).info();
    const bool says_so = !page.coarser.empty() || page.description.find("<OME") != std::string::npos ||
                         page.description.find("\nvoxel_um=") != std::string::npos;
    return says_so ? sure + 5 : sure;
  } catch (const std::exception&) {  // opening it will say why
    return sure;
  }
}

}  // namespace spim
