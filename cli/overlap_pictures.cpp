#include "overlap_pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "picture.hpp"
#include "spim/host/overlap_block.hpp"

namespace spim::cli {

namespace {

/// Half of the longest side of a picture, voxels.
constexpr std::int64_t kReach = 110;
/// So many places are tried.
constexpr std::size_t kPlaces = 8;

/// The two tiles of a link.
struct Pair {
  TileView& fixed;
  TileView& moving;
  Vec3 before;  ///< of voxel (0,0,0) of `moving` in the voxel frame of `fixed`: where the stage says
  Vec3 after;   ///< where the solution puts it
};

enum class Across { z, y };

/// A box of one plane around `at`, inside the overlap and a little beyond.
Box plane_box(const Pair& pair, Index3 at, Across across) {
  constexpr std::int64_t kBeyond = 20;
  const Box overlap = overlap_box(pair.fixed, pair.moving, pair.after);
  const Index3 far{kReach, kReach, kReach}, beyond{kBeyond, kBeyond, kBeyond};
  Box box = intersect({at - far, at + far}, {overlap.begin - beyond, overlap.end + beyond});
  if (across == Across::z) {
    box.begin.z = at.z;
    box.end.z = at.z + 1;
    // The overlap of slanted tiles is narrower in one plane than over all of them.
    const IndexRange x = common_x(pair.fixed, pair.moving, pair.after, at.z);
    box.begin.x = std::max(box.begin.x, x.begin - beyond.x);
    box.end.x = std::min(box.end.x, x.end + beyond.x);
  } else {
    box.begin.y = at.y;
    box.end.y = at.y + 1;
  }
  return box;
}

/// Grey levels shown as black and white.
struct Window {
  float black = 0, white = 1;
};

Window window_of(const std::vector<float>& voxels) {
  std::vector<float> known;
  std::copy_if(voxels.begin(), voxels.end(), std::back_inserter(known),
               [](float v) { return !std::isnan(v); });
  if (known.empty()) return {};
  const auto percentile = [&](std::size_t thousandths) {
    const auto at = known.begin() + static_cast<std::ptrdiff_t>((known.size() - 1) * thousandths / 1000);
    std::nth_element(known.begin(), at, known.end());
    return *at;
  };
  const float black = percentile(20), white = percentile(995);
  return {black, std::max(white, black + 1)};
}

std::uint8_t shade(float v, const Window& window) {
  if (std::isnan(v)) return 0;
  const float part = std::clamp((v - window.black) / (window.white - window.black), 0.0F, 1.0F);
  return static_cast<std::uint8_t>(std::lround(255 * std::sqrt(part)));  // dim structure counts as well
}

/// Rows y (or z) and columns x of a block of one plane: `fixed` magenta, `moving` green.
std::string magenta_green(const OverlapBlock& block, const Window& fixed, const Window& moving) {
  ColourPicture picture;
  picture.columns = block.size.x;
  picture.rows = block.size.y * block.size.z;
  picture.samples.reserve(block.fixed.size() * 3);
  for (std::size_t i = 0; i < block.fixed.size(); ++i) {
    const std::uint8_t magenta = shade(block.fixed[i], fixed), green = shade(block.moving[i], moving);
    picture.samples.insert(picture.samples.end(), {magenta, green, magenta});
  }
  return png_of(picture);
}

OverlapPicture picture_of(const Pair& pair, const AlignmentResult& result, Index3 at, Across across) {
  const Box box = plane_box(pair, at, across);
  const OverlapBlock before = read_overlap(pair.fixed, pair.moving, box, pair.before);
  const OverlapBlock after = read_overlap(pair.fixed, pair.moving, box, pair.after);
  const Window fixed = window_of(after.fixed), moving = window_of(after.moving);
  OverlapPicture picture;
  const auto size = box.size();
  picture.caption =
      across == Across::z
          ? fmt::format("plane z = {}: x {} to {} to the right, y {} to {} down (voxels of the first tile)",
                        at.z, box.begin.x, box.end.x - 1, box.begin.y, box.end.y - 1)
          : fmt::format("plane y = {}: x {} to {} to the right, z {} to {} down (voxels of the first tile)",
                        at.y, box.begin.x, box.end.x - 1, box.begin.z, box.end.z - 1);
  picture.before = magenta_green(before, fixed, moving);
  picture.after = magenta_green(after, fixed, moving);
  picture.width_um = static_cast<double>(size.x) * result.voxel_um.x;
  picture.height_um = across == Across::z ? static_cast<double>(size.y) * result.voxel_um.y
                                          : static_cast<double>(size.z) * result.voxel_um.z;
  picture.correlation_before = correlation(before);
  picture.correlation_after = correlation(after);
  return picture;
}

/// Places to look at: where samples are, the surest first; without any, a few along the overlap.
std::vector<Index3> places_of(const Pair& pair, const AlignedLink& link, const Box& overlap) {
  std::vector<std::size_t> order(link.samples.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair{link.agrees[a], link.samples[a].confidence} >
           std::pair{link.agrees[b], link.samples[b].confidence};
  });
  std::vector<Index3> places;
  for (std::size_t i = 0; i < std::min(order.size(), kPlaces); ++i) {
    const Vec3 at = link.samples[order[i]].at;
    places.push_back({std::llround(at.x), std::llround(at.y), std::llround(at.z)});
  }
  for (std::size_t n = 1; places.empty() || (link.samples.empty() && n < kPlaces); ++n) {
    const Index3 size = overlap.size();
    const std::int64_t z =
        overlap.begin.z + size.z * static_cast<std::int64_t>(n) / static_cast<std::int64_t>(kPlaces);
    const IndexRange x = common_x(pair.fixed, pair.moving, pair.after, z);
    places.push_back({(x.begin + x.end) / 2, overlap.begin.y + size.y / 2, z});
  }
  for (Index3& at : places) at = min(max(at, overlap.begin), overlap.end - Index3{1, 1, 1});
  return places;
}

/// How much there is to see around `at`: the spread of grey levels, of the tile that shows less.
double content(const Pair& pair, Index3 at) {
  const OverlapBlock block =
      read_overlap(pair.fixed, pair.moving, plane_box(pair, at, Across::z), pair.after);
  const Window a = window_of(block.fixed), b = window_of(block.moving);
  return static_cast<double>(std::min(a.white - a.black, b.white - b.black));
}

}  // namespace

std::vector<OverlapPicture> overlap_pictures(const AlignmentResult& result, const AlignedLink& link,
                                             const TileOpener& open) {
  const AlignedTile& a = result.tiles[link.fixed];
  const AlignedTile& b = result.tiles[link.moving];
  VolumeTileView fixed(open(link.fixed), a.region), moving(open(link.moving), b.region);
  const Pair pair{fixed, moving, link.guess_voxels, link.guess_voxels + b.shift_voxels - a.shift_voxels};
  const Box overlap = overlap_box(fixed, moving, pair.after);
  if (overlap.empty()) return {};
  Index3 best;
  double most = -1;
  for (const Index3 at : places_of(pair, link, overlap))
    if (const double here = content(pair, at); here > most) {
      most = here;
      best = at;
    }
  std::vector<OverlapPicture> pictures;
  for (const Across across : {Across::z, Across::y})
    if (!plane_box(pair, best, across).empty()) pictures.push_back(picture_of(pair, result, best, across));
  return pictures;
}

}  // namespace spim::cli
