#include "spim/host/volume_seams.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "spim/host/pair_plan.hpp"

namespace spim {

namespace {

constexpr std::int64_t kReach = 6;          ///< voxels on both sides of a face
constexpr std::int64_t kBeside = 3;         ///< from here on, differences are of the inside
constexpr std::int64_t kPatch = 48;         ///< voxels along a place on a face
constexpr std::int64_t kPlanes = 8;         ///< and along z
constexpr std::int64_t kLeastVoxels = 200;  ///< fewer say nothing about a face

/// One of n x n places on a face.
struct Place {
  std::int64_t i, j, n;
};

/// A tile at whole voxels of the volume.
struct Placed {
  Index3 at;
  const ValidRegion* region;

  Box box() const noexcept { return {at, at + region->shape}; }
  IndexRange valid_x(std::int64_t z) const noexcept {
    const std::int64_t own = z - at.z;
    if (own < 0 || own >= region->shape.z) return {0, 0};
    const IndexRange x = region->valid_x(own);
    return {x.begin + at.x, x.end + at.x};
  }
};

enum class End { first, last };

/// How many neighbouring places along the axis a face is compared with.
constexpr std::size_t kControls = 2 * (kReach - kBeside);

/// Differences of neighbouring voxels at the face, and as many at each of the places beside it.
struct Jumps {
  std::vector<std::int32_t> across;
  std::array<std::vector<std::int32_t>, kControls> beside;
  double level = 0;  ///< sum of grey levels
};

/// Adds one line of voxels along the axis; the face lies between `line[kReach - 1]` and `line[kReach]`.
void add_line(const std::uint16_t* line, std::int64_t stride, Jumps& jumps) {
  for (std::int64_t i = 0; i < 2 * kReach; ++i)
    if (line[i * stride] == 0) return;  // outside the data
  std::size_t control = 0;
  for (std::int64_t i = 1; i < 2 * kReach; ++i) {
    const std::int32_t jump = line[i * stride] - line[(i - 1) * stride];
    if (i == kReach)
      jumps.across.push_back(jump);
    else if (std::abs(i - kReach) >= kBeside)
      jumps.beside[control++].push_back(jump);
  }
  jumps.level += line[kReach * stride];
}

/// Mean of the middle half: a few edges of bright cells do not count, and whole numbers do not show.
double middle_mean(std::vector<std::int32_t> values) {
  const auto quarter = static_cast<std::ptrdiff_t>(values.size() / 4);
  const auto low = values.begin() + quarter, high = values.end() - quarter;
  std::nth_element(values.begin(), low, values.end());
  if (high != values.end()) std::nth_element(low, high, values.end());
  double sum = 0;
  for (auto v = low; v != high; ++v) sum += *v;
  return sum / static_cast<double>(high - low);
}

double middle_size(std::vector<std::int32_t> values) {
  for (std::int32_t& v : values) v = std::abs(v);
  return middle_mean(std::move(values));
}

/// Fills what `jumps` say of a seam. The places beside the face show the same specimen: how much they differ
/// from each other is how much the face may differ from them.
void judge(const Jumps& jumps, End end, VolumeSeam& seam) {
  seam.voxels = static_cast<std::int64_t>(jumps.across.size());
  if (seam.voxels < kLeastVoxels) {
    seam.voxels = 0;
    return;
  }
  double mean = 0, square = 0, slope = 0;
  constexpr auto n = static_cast<double>(kControls);
  for (const std::vector<std::int32_t>& beside : jumps.beside) {
    const double size = middle_size(beside);
    mean += size / n;
    square += size * size / n;
    slope += middle_mean(beside) / n;
  }
  if (!(mean > 0)) {
    seam.voxels = 0;
    return;
  }
  const double scatter = std::sqrt(std::max(0.0, square - mean * mean) * n / (n - 1));
  seam.contrast = middle_size(jumps.across) / mean;
  seam.standard_error = scatter * std::sqrt(1 + 1 / n) / mean;
  const double step = (middle_mean(jumps.across) - slope) * static_cast<double>(seam.voxels) / jumps.level;
  seam.step = end == End::first ? step : -step;
}

class Face {
 public:
  Face(const Placed& tile, const Placed& other, char axis, End end)
      : tile_(tile), other_(other), common_(intersect(tile.box(), other.box())), axis_(axis), end_(end) {}

  /// Adds what the volume shows at one of n x n places of the face.
  void look(VolumeReader& volume, Place place, Jumps& jumps) const {
    const Box box = intersect(place_box(place), {{0, 0, 0}, volume.level(0).shape});
    if (box.empty()) return;
    const Index3 size = box.size();
    std::vector<std::uint16_t> voxels(static_cast<std::size_t>(count(size)));
    const auto view = dense_view(voxels.data(), size);
    volume.read(0, box, view);
    const std::int64_t stride = axis_ == 'x' ? 1 : axis_ == 'y' ? view.stride_y : view.stride_z;
    for (std::int64_t z = box.begin.z; z < (axis_ == 'z' ? box.begin.z + 1 : box.end.z); ++z)
      for (std::int64_t y = box.begin.y; y < (axis_ == 'y' ? box.begin.y + 1 : box.end.y); ++y)
        for (std::int64_t x = first_x(box, z); x < (axis_ == 'x' ? first_x(box, z) + 1 : box.end.x); ++x)
          if (const Box line = line_at({x, y, z}); contains(box, line) && in_both(line))
            add_line(view.row(y - box.begin.y, z - box.begin.z) + (x - box.begin.x), stride, jumps);
  }

 private:
  /// Part k of at most n of `all`, which do not overlap; nothing when fewer are enough.
  static IndexRange part(IndexRange all, std::int64_t length, std::int64_t k, std::int64_t n) noexcept {
    length = std::min(length, all.size());
    if (length > 0) n = std::min(n, all.size() / length);
    if (k >= n) return {};
    const std::int64_t begin = all.begin + (all.size() - length) * (2 * k + 1) / (2 * n);
    return {begin, begin + length};
  }

  /// First voxel behind the face, along x in plane z.
  std::int64_t border_x(std::int64_t z) const noexcept {
    const IndexRange valid = tile_.valid_x(z);
    return end_ == End::first ? valid.begin : valid.end;
  }
  /// Slanted faces move from plane to plane.
  std::int64_t first_x(const Box& box, std::int64_t z) const noexcept {
    return axis_ == 'x' ? border_x(z) - kReach : box.begin.x;
  }

  Box line_at(Index3 from) const noexcept {
    Index3 size{1, 1, 1};
    (axis_ == 'x' ? size.x : axis_ == 'y' ? size.y : size.z) = 2 * kReach;
    return {from, from + size};
  }

  /// True when the other tile holds the whole line, and this one its half of it.
  bool in_both(const Box& line) const noexcept {
    for (const std::int64_t z : {line.begin.z, line.end.z - 1}) {
      const IndexRange there = other_.valid_x(z);
      if (line.begin.x < there.begin || line.end.x > there.end) return false;
    }
    if (axis_ == 'x') return true;
    const std::int64_t inner = axis_ == 'y' || end_ == End::first ? line.end.z - 1 : line.begin.z;
    const IndexRange here = tile_.valid_x(inner);
    return line.begin.y >= other_.box().begin.y && line.end.y <= other_.box().end.y &&
           line.begin.x >= here.begin && line.end.x <= here.end;
  }

  /// A box across the face, with a margin along x for its slant.
  Box place_box(Place place) const {
    const Box own = tile_.box();
    const auto around = [](std::int64_t border) { return IndexRange{border - kReach, border + kReach}; };
    IndexRange y = part({common_.begin.y, common_.end.y}, kPatch, axis_ == 'z' ? place.j : place.i, place.n);
    IndexRange z = part({common_.begin.z, common_.end.z}, kPlanes, place.j, place.n);
    if (z.empty() && axis_ != 'z') return {};
    if (axis_ == 'y') y = around(end_ == End::first ? own.begin.y : own.end.y);
    if (axis_ == 'z') z = around(end_ == End::first ? own.begin.z : own.end.z);
    IndexRange x;
    if (axis_ == 'x') {
      const std::int64_t a = border_x(z.begin), b = border_x(z.end - 1);
      x = {std::min(a, b) - kReach, std::max(a, b) + kReach};
    } else {
      const std::int64_t middle = std::clamp((z.begin + z.end) / 2, common_.begin.z, common_.end.z - 1);
      const IndexRange here = tile_.valid_x(middle), there = other_.valid_x(middle);
      x = part({std::max(here.begin, there.begin), std::min(here.end, there.end)}, kPatch, place.i, place.n);
    }
    return {{x.begin, y.begin, z.begin}, {x.end, y.end, z.end}};
  }

  const Placed& tile_;
  const Placed& other_;
  Box common_;
  char axis_;
  End end_;
};

/// Along which the tiles of a pair follow each other: where the smallest part of them overlaps.
char axis_of(const TilePair& pair, const ValidRegion& region) noexcept {
  const Vec3 o = pair.overlap_voxels;
  const double x = o.x / static_cast<double>(region.frames), y = o.y / static_cast<double>(region.shape.y),
               z = o.z / static_cast<double>(region.shape.z);
  return x <= y && x <= z ? 'x' : y <= z ? 'y' : 'z';
}

double along(Vec3 v, char axis) noexcept {
  return axis == 'x' ? v.x : axis == 'y' ? v.y : v.z;
}

}  // namespace

std::vector<VolumeSeam> check_volume_seams(VolumeReader& volume, const std::vector<TileToAlign>& tiles,
                                           const VolumeSeamSettings& settings, const Executor& executor) {
  const Vec3 um = settings.voxel_um;
  std::vector<Placed> placed;
  for (const TileToAlign& tile : tiles) {
    const Vec3 p = tile.nominal_um;
    placed.push_back(
        {{std::llround(p.x / um.x), std::llround(p.y / um.y), std::llround(p.z / um.z)}, &tile.region});
  }
  std::vector<VolumeSeam> seams;
  std::vector<End> ends;
  for (const TilePair& pair : plan_pairs(tiles, {um, 4})) {
    if (!pair.neighbours) continue;
    const char axis = axis_of(pair, tiles[pair.fixed].region);
    const bool in_order = along(pair.guess_voxels, axis) >= 0;
    seams.push_back({pair.fixed, pair.moving, axis});
    ends.push_back(in_order ? End::last : End::first);
    seams.push_back({pair.moving, pair.fixed, axis});
    ends.push_back(in_order ? End::first : End::last);
  }
  executor.parallel_for(static_cast<std::int64_t>(seams.size()), [&](std::int64_t k, int) {
    VolumeSeam& seam = seams[static_cast<std::size_t>(k)];
    const Face face(placed[seam.tile], placed[seam.other], seam.axis, ends[static_cast<std::size_t>(k)]);
    const std::int64_t n = settings.places_per_axis;
    Jumps jumps;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j) face.look(volume, {i, j, n}, jumps);
    judge(jumps, ends[static_cast<std::size_t>(k)], seam);
  });
  return seams;
}

}  // namespace spim
