// The suites of destripers and aligners.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "conformance_suite.hpp"

namespace spim {
namespace {

/// Rows by columns of a frame under test.
struct FrameShape {
  std::int64_t rows, columns;
};

constexpr FrameShape kShapes[] = {{1, 1}, {1, 9}, {9, 1}, {3, 5}, {31, 33}, {64, 64}, {100, 257}};

constexpr float kLevel = 1000;

/// Texture on a constant level, without stripes.
std::vector<float> texture(FrameShape shape, float amplitude) {
  std::vector<float> pixels(static_cast<std::size_t>(shape.rows * shape.columns));
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = kLevel + amplitude * (static_cast<float>(scramble(i) % 2001) / 1000 - 1);
  return pixels;
}

/// `pixels` after one instance was applied to it, through a view with `padding` samples behind each row.
std::vector<float> destriped(ConformanceSuite& suite, const std::vector<float>& pixels, FrameShape shape,
                             std::int64_t padding) {
  constexpr float kSentinel = -12345.5F;
  const std::int64_t stride = shape.columns + padding;
  std::vector<float> padded(static_cast<std::size_t>(shape.rows * stride), kSentinel);
  for (std::int64_t r = 0; r < shape.rows; ++r)
    std::copy_n(pixels.begin() + r * shape.columns, shape.columns, padded.begin() + r * stride);
  create_destriper(suite.registry(), suite.host(), suite.selection())
      ->apply({padded.data(), shape.rows, shape.columns, stride});
  std::vector<float> result;
  for (std::int64_t r = 0; r < shape.rows; ++r) {
    const auto row = padded.begin() + r * stride;
    result.insert(result.end(), row, row + shape.columns);
    if (std::any_of(row + shape.columns, row + stride, [](float v) { return v != kSentinel; }))
      throw Error(fmt::format("row {} of a frame of {} x {} is written behind its end; respect row_stride", r,
                              shape.rows, shape.columns));
  }
  return result;
}

void expect_finite(const std::vector<float>& pixels, FrameShape shape) {
  for (std::size_t i = 0; i < pixels.size(); ++i)
    if (!std::isfinite(pixels[i]))
      throw Error(
          fmt::format("pixel {} of a frame of {} x {} is {}", i, shape.rows, shape.columns, pixels[i]));
}

/// `pixels`, made of a constant frame, are as they were, or all zero: some methods remove the background.
void expect_constant(const std::vector<float>& pixels, FrameShape shape) {
  constexpr float kTolerance = 0.01F * kLevel;
  const float expected = std::abs(pixels.front()) <= kTolerance ? 0 : kLevel;
  for (const float v : pixels)
    if (std::abs(v - expected) > kTolerance)
      throw Error(fmt::format("a frame of {} x {} of the value {} gets the value {}", shape.rows,
                              shape.columns, kLevel, v));
}

/// Voxels from a function of their position in space.
class FunctionTile final : public TileView {
 public:
  /// The tile whose voxel p shows the texture at p + offset.
  FunctionTile(Index3 shape, Vec3 offset, float amplitude)
      : shape_(shape), offset_(offset), amplitude_(amplitude) {}

  Index3 shape() const override { return shape_; }
  IndexRange valid_x(std::int64_t) const override { return {0, shape_.x}; }

  void read(const Box& box, VolumeView<float> out) override {
    if (!contains({{}, shape_}, box) || out.size != box.size())
      throw Error("a box outside the tile was asked for; stay inside shape()");
    for (std::int64_t z = 0; z < out.size.z; ++z)
      for (std::int64_t y = 0; y < out.size.y; ++y)
        for (std::int64_t x = 0; x < out.size.x; ++x)
          out.row(y, z)[x] = at(static_cast<double>(box.begin.x + x) + offset_.x,
                                static_cast<double>(box.begin.y + y) + offset_.y,
                                static_cast<double>(box.begin.z + z) + offset_.z);
  }

 private:
  /// A smooth sum of waves whose directions and phases have no pattern.
  float at(double x, double y, double z) const {
    double sum = 0;
    for (std::uint64_t i = 0; i < 24; ++i) {
      const auto unit = [i](std::uint64_t k) {
        return static_cast<double>(scramble(8 * i + k) % 10007) / 10007;
      };
      sum +=
          std::cos(0.9 * ((unit(0) - 0.5) * x + (unit(1) - 0.5) * y + (unit(2) - 0.5) * z) + 6.28 * unit(3));
    }
    return static_cast<float>(kLevel + amplitude_ * sum);
  }

  Index3 shape_;
  Vec3 offset_;
  float amplitude_;
};

struct Samples final : ShiftSink {
  std::vector<ShiftSample> list;
  void add(const ShiftSample& sample) override { list.push_back(sample); }
};

constexpr Index3 kTileShape{96, 64, 64};
constexpr Vec3 kGuess{48, 0, 0};

/// The shifts that are found when `moving` really sits at kGuess + `displacement`.
std::vector<ShiftSample> aligned(Aligner& aligner, Vec3 displacement, float amplitude) {
  FunctionTile fixed(kTileShape, {}, amplitude);
  FunctionTile moving(kTileShape, kGuess + displacement, amplitude);
  AlignTask task;
  task.fixed = &fixed;
  task.moving = &moving;
  task.guess_voxels = kGuess;
  task.voxel_um = {1, 1, 1};
  task.seed = 1;
  Samples samples;
  aligner.align(task, samples);
  return samples.list;
}

void expect_shift(const std::vector<ShiftSample>& samples, Vec3 expected, double tolerance) {
  if (samples.empty()) throw Error("no shift is found in an overlap full of texture");
  const auto surest = std::max_element(samples.begin(), samples.end(), [](const auto& a, const auto& b) {
    return a.confidence < b.confidence;
  });
  const Vec3 error = surest->shift - expected;
  if (std::abs(error.x) > tolerance || std::abs(error.y) > tolerance || std::abs(error.z) > tolerance)
    throw Error(fmt::format("the surest shift is {:.2f},{:.2f},{:.2f} voxels instead of {},{},{}",
                            surest->shift.x, surest->shift.y, surest->shift.z, expected.x, expected.y,
                            expected.z));
}

bool same(const ShiftSample& a, const ShiftSample& b) {
  return a.at == b.at && a.shift == b.shift && a.correlation == b.correlation && a.confidence == b.confidence;
}

}  // namespace

void check_destriper(ConformanceSuite& suite) {
  suite.check("leaves a constant frame constant", [&] {
    for (const FrameShape shape : kShapes) {
      const std::vector<float> result = destriped(suite, texture(shape, 0), shape, 0);
      expect_finite(result, shape);
      expect_constant(result, shape);
    }
  });
  suite.check("gives finite pixels for frames of every shape and for zeros", [&] {
    for (const FrameShape shape : kShapes) {
      expect_finite(destriped(suite, texture(shape, 300), shape, 0), shape);
      const std::vector<float> zeros(static_cast<std::size_t>(shape.rows * shape.columns), 0.0F);
      expect_finite(destriped(suite, zeros, shape, 0), shape);
    }
  });
  suite.check("respects the stride and gives the same result with it", [&] {
    for (const FrameShape shape : kShapes)
      if (destriped(suite, texture(shape, 300), shape, 7) != destriped(suite, texture(shape, 300), shape, 0))
        throw Error(fmt::format("a frame of {} x {} comes out differently with padded rows", shape.rows,
                                shape.columns));
  });
  suite.check("gives the same frame again, from several threads too", [&] {
    const FrameShape shape{64, 96};
    const std::vector<float> expected = destriped(suite, texture(shape, 300), shape, 0);
    const auto destriper = create_destriper(suite.registry(), suite.host(), suite.selection());
    suite.settings().executor->parallel_for(8, [&](std::int64_t, int) {
      std::vector<float> pixels = texture(shape, 300);
      destriper->apply({pixels.data(), shape.rows, shape.columns, shape.columns});
      if (pixels != expected) throw Error("the same frame comes out differently");
    });
  });
}

void check_aligner(ConformanceSuite& suite) {
  std::unique_ptr<Aligner> aligner;
  suite.check("is created",
              [&] { aligner = create_aligner(suite.registry(), suite.host(), suite.selection()); });
  if (!aligner) return;
  suite.check("finds no shift between identical views",
              [&] { expect_shift(aligned(*aligner, {}, 100), {}, 0.25); });
  suite.check("finds a known shift", [&] {
    const Vec3 displacement{2, -1, 1};
    expect_shift(aligned(*aligner, displacement, 100), displacement, 0.5);
  });
  suite.check("is not sure of anything where there is nothing to see", [&] {
    for (const ShiftSample& sample : aligned(*aligner, {}, 0))
      if (sample.confidence > 0.5)
        throw Error(fmt::format("the confidence in a shift between constant tiles is {}", sample.confidence));
  });
  suite.check("finds the same again, from several threads too", [&] {
    const std::vector<ShiftSample> expected = aligned(*aligner, {1, 1, 0}, 100);
    suite.settings().executor->parallel_for(3, [&](std::int64_t, int) {
      const std::vector<ShiftSample> again = aligned(*aligner, {1, 1, 0}, 100);
      if (!std::equal(again.begin(), again.end(), expected.begin(), expected.end(), same))
        throw Error("the same task gives other shifts");
    });
  });
}

}  // namespace spim
