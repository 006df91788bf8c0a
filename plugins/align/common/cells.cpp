#include "common/cells.hpp"

#include <algorithm>
#include <cmath>

#include "spim/clones.hpp"

namespace spim::alignment {

namespace {

/// A Gaussian as taps −radius … radius, and the sums of all taps before each.
class Kernel {
 public:
  explicit Kernel(double sigma) : radius_(static_cast<std::int64_t>(std::ceil(3 * sigma))) {
    double sum = 0;
    for (std::int64_t i = -radius_; i <= radius_; ++i) {
      const double x = sigma > 0 ? static_cast<double>(i) / sigma : 0;
      taps_.push_back(static_cast<float>(std::exp(-x * x / 2)));
      sum += static_cast<double>(taps_.back());
    }
    before_.push_back(0);
    for (float& tap : taps_) {
      tap = static_cast<float>(static_cast<double>(tap) / sum);
      before_.push_back(before_.back() + tap);
    }
  }

  std::int64_t radius() const noexcept { return radius_; }
  float tap(std::int64_t i) const noexcept { return taps_[static_cast<std::size_t>(i + radius_)]; }
  /// Positions around `at` that taps reach, inside `limits`.
  IndexRange reach(std::int64_t at, IndexRange limits) const noexcept {
    return {std::max(at - radius_, limits.begin), std::min(at + radius_ + 1, limits.end)};
  }
  /// Sum of the taps around `at` that fall on `range`.
  float share(std::int64_t at, IndexRange range) const noexcept {
    const IndexRange r = reach(at, range);
    if (r.empty()) return 0;
    return before_[static_cast<std::size_t>(r.end - at + radius_)] -
           before_[static_cast<std::size_t>(r.begin - at + radius_)];
  }

 private:
  std::int64_t radius_;
  std::vector<float> taps_;
  std::vector<float> before_;
};

/// Rows of n samples that are summed with weights.
struct WeightedRows {
  const float* first;
  std::int64_t stride;
  const float* taps;
  std::int64_t count;
};

/// out[i] = Σ taps[k]·row_k[i], in blocks that stay in registers.
SPIM_CLONES void sum_rows(const WeightedRows& rows, float* out, std::int64_t n) {
  constexpr std::int64_t kBlock = 4 * kLanes;
  std::int64_t i = 0;
  for (; i + kBlock <= n; i += kBlock) {
    float sum[kBlock] = {};
    for (std::int64_t k = 0; k < rows.count; ++k) {
      const float* row = rows.first + k * rows.stride + i;
      for (std::int64_t j = 0; j < kBlock; ++j) sum[j] += rows.taps[k] * row[j];
    }
    std::copy_n(sum, kBlock, out + i);
  }
  for (; i < n; ++i) {
    float sum = 0;
    for (std::int64_t k = 0; k < rows.count; ++k) sum += rows.taps[k] * rows.first[k * rows.stride + i];
    out[i] = sum;
  }
}

std::int64_t place(std::int64_t origin, std::int64_t step, std::int64_t cell) {
  return origin + step * cell;
}

/// Of the voxels in `limits`, those under the Gaussians of cells at origin, origin + step, …
IndexRange needed(const Kernel& kernel, std::int64_t origin, std::int64_t step, std::int64_t cells,
                  IndexRange limits) {
  return {std::max(origin - kernel.radius(), limits.begin),
          std::min(place(origin, step, cells - 1) + kernel.radius() + 1, limits.end)};
}

/// One smoothing on its way through the three axes.
class Smoother {
 public:
  Smoother(const Patch& patch, const Lattice& lattice, Vec3 sigma)
      : patch_(patch), lattice_(lattice), x_(sigma.x), y_(sigma.y), z_(sigma.z) {
    const Box& box = patch.box;
    columns_ = needed(x_, lattice.origin.x, lattice.step.x, lattice.size.x, {box.begin.x, box.end.x});
    rows_ = needed(y_, lattice.origin.y, lattice.step.y, lattice.size.y, {box.begin.y, box.end.y});
  }

  Cells run() {
    Cells cells = empty_cells(lattice_.size);
    if (columns_.empty() || rows_.empty()) return cells;
    plane_.resize(static_cast<std::size_t>(columns_.size() * rows_.size()));
    row_.resize(static_cast<std::size_t>(columns_.size()));
    cover_.resize(static_cast<std::size_t>(lattice_.size.x));
    for (std::int64_t c = 0; c < lattice_.size.z; ++c) {
      const std::int64_t z = place(lattice_.origin.z, lattice_.step.z, c);
      const IndexRange planes = z_.reach(z, {patch_.box.begin.z, patch_.box.end.z});
      if (planes.empty()) continue;
      cover(z, planes);
      gather(z, planes);
      for (std::int64_t r = 0; r < lattice_.size.y; ++r) finish_row(cells, {0, r, c});
    }
    return cells;
  }

 private:
  /// The share of the Gaussian in x and z that lies on data, for each column of cells.
  void cover(std::int64_t z, IndexRange planes) {
    for (std::int64_t i = 0; i < lattice_.size.x; ++i) {
      const std::int64_t x = place(lattice_.origin.x, lattice_.step.x, i);
      float share = 0;
      for (std::int64_t p = planes.begin; p < planes.end; ++p)
        share += z_.tap(p - z) * x_.share(x, patch_.valid[static_cast<std::size_t>(p - patch_.box.begin.z)]);
      cover_[static_cast<std::size_t>(i)] = share;
    }
  }

  /// Sums planes into one.
  void gather(std::int64_t z, IndexRange planes) {
    taps_.clear();
    for (std::int64_t p = planes.begin; p < planes.end; ++p) taps_.push_back(z_.tap(p - z));
    const Index3 n = patch_.box.size();
    for (std::int64_t y = rows_.begin; y < rows_.end; ++y)
      sum_rows({patch_.row(y, planes.begin) + columns_.begin - patch_.box.begin.x, n.x * n.y, taps_.data(),
                planes.size()},
               plane_.data() + (y - rows_.begin) * columns_.size(), columns_.size());
  }

  void finish_row(Cells& cells, Index3 first) {
    const std::int64_t y = place(lattice_.origin.y, lattice_.step.y, first.y);
    const IndexRange rows = y_.reach(y, rows_);
    if (rows.empty()) return;
    taps_.clear();
    for (std::int64_t r = rows.begin; r < rows.end; ++r) taps_.push_back(y_.tap(r - y));
    sum_rows({plane_.data() + (rows.begin - rows_.begin) * columns_.size(), columns_.size(), taps_.data(),
              rows.size()},
             row_.data(), columns_.size());
    const float share_y = y_.share(y, rows);
    const auto out = static_cast<std::size_t>(cells.at(first));
    for (std::int64_t i = 0; i < lattice_.size.x; ++i) {
      const float share = share_y * cover_[static_cast<std::size_t>(i)];
      if (share <= 0.5F) continue;
      const std::int64_t x = place(lattice_.origin.x, lattice_.step.x, i);
      const IndexRange reach = x_.reach(x, columns_);
      float sum = 0;
      for (std::int64_t j = reach.begin; j < reach.end; ++j)
        sum += x_.tap(j - x) * row_[static_cast<std::size_t>(j - columns_.begin)];
      cells.value[out + static_cast<std::size_t>(i)] = sum / share;
      cells.weight[out + static_cast<std::size_t>(i)] = std::min(2 * share - 1, 1.0F);
    }
  }

  const Patch& patch_;
  const Lattice& lattice_;
  Kernel x_, y_, z_;
  IndexRange columns_, rows_;  ///< voxels that are looked at
  std::vector<float> taps_, plane_, row_, cover_;
};

/// Takes the weighted mean away, so that float32 has digits left for the contrast.
void centre(Cells& cells) {
  double sum = 0, weight = 0;
  for (std::size_t i = 0; i < cells.value.size(); ++i) {
    sum += static_cast<double>(cells.weight[i]) * static_cast<double>(cells.value[i]);
    weight += static_cast<double>(cells.weight[i]);
  }
  if (weight == 0) return;
  cells.level = sum / weight;
  for (std::size_t i = 0; i < cells.value.size(); ++i)
    if (cells.weight[i] > 0)
      cells.value[i] = static_cast<float>(static_cast<double>(cells.value[i]) - cells.level);
}

}  // namespace

Cells empty_cells(Index3 size) {
  Cells cells;
  cells.size = size;
  cells.stride = ceil_div(size.x, kLanes) * kLanes;
  const auto n = static_cast<std::size_t>(cells.stride * size.y * size.z + kLanes);
  cells.value.resize(n);
  cells.weight.resize(n);
  return cells;
}

Index3 lattice_step(Vec3 sigma) {
  constexpr double kSigmasPerStep = 1.2;
  const auto step = [](double s) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(s / kSigmasPerStep));
  };
  return {step(sigma.x), step(sigma.y), step(sigma.z)};
}

Cells smooth(const Patch& patch, const Lattice& lattice, Vec3 sigma) {
  Cells cells = Smoother(patch, lattice, sigma).run();
  centre(cells);
  return cells;
}

}  // namespace spim::alignment
