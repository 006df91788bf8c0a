/// Frames of a simulated camera: where samples lie, what light and noise do to them, how they are stored.

#include "phantom/simulated_stack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "framework/phantom/src/frame_noise.hpp"
#include "phantom/hash.hpp"
#include "spim/error.hpp"

namespace {

using spim::CameraNoise;
using spim::SimulatedStack;
using spim::StackSimulator;
using testing::HasSubstr;

SimulatedStack small_stack() {
  SimulatedStack stack;
  stack.phantom.seed = 11;
  stack.frames = 40;
  stack.rows = 61;
  stack.columns = 87;
  stack.position_um = {-250.25, 1300.5, 42.125};
  stack.illumination = 0.4;
  stack.stripes = 0.3;
  return stack;
}

template <class T>
struct Image {
  std::int64_t rows, columns;
  std::vector<T> pixels;
  Image(std::int64_t r, std::int64_t c) : rows(r), columns(c), pixels(static_cast<std::size_t>(r * c)) {}
  spim::ImageView<T> view() { return {pixels.data(), rows, columns, columns}; }
  T& at(std::int64_t i, std::int64_t j) { return pixels[static_cast<std::size_t>(i * columns + j)]; }
};

TEST(SimulatedStack, PutsEverySampleWhereTheFormulaSays) {
  for (const int direction : {1, -1})
    for (const double tilt : {45.0, 30.0}) {
      SimulatedStack stack = small_stack();
      stack.direction = direction;
      stack.tilt_degrees = tilt;
      const StackSimulator simulator(stack);
      const spim::Phantom phantom(stack.phantom);
      for (const std::int64_t k : {0, 7, 39}) {
        Image<float> frame(stack.rows, stack.columns);
        simulator.signal(k, {}, frame.view());
        for (std::int64_t i = 0; i < stack.rows; i += 5)
          for (std::int64_t j = 0; j < stack.columns; j += 7) {
            const double depth = static_cast<double>(j) * stack.y_voxel_um;
            const double angle = tilt * std::numbers::pi / 180;
            const spim::Vec3 at{stack.position_um.x + direction * static_cast<double>(k) * stack.x_step_um +
                                    depth * std::cos(angle),
                                stack.position_um.y + static_cast<double>(i) * stack.y_voxel_um,
                                stack.position_um.z + depth * std::sin(angle)};
            const auto row = static_cast<double>(i), column = static_cast<double>(j);
            const double light = phantom.intensity(at) * simulator.illumination(row, column) *
                                 simulator.stripes(static_cast<double>(k), row, column);
            ASSERT_NEAR(frame.at(i, j), 100 + light, 0.02 + 5e-4 * light) << k << ' ' << i << ' ' << j;
          }
      }
    }
}

/// numpy.rot90(image, 1): the last column becomes the first row.
Image<std::uint16_t> rot90(Image<std::uint16_t> image) {
  Image<std::uint16_t> turned(image.columns, image.rows);
  for (std::int64_t i = 0; i < turned.rows; ++i)
    for (std::int64_t j = 0; j < turned.columns; ++j) turned.at(i, j) = image.at(j, image.columns - 1 - i);
  return turned;
}

TEST(SimulatedStack, StoresFramesThatThreeQuarterTurnsAndAFlipRestore) {
  const StackSimulator simulator(small_stack());
  ASSERT_EQ(simulator.info().rows, 87);
  ASSERT_EQ(simulator.info().columns, 61);
  Image<std::uint16_t> raw(87, 61), oriented(61, 87);
  simulator.read(3, 0, raw.view());
  simulator.expose(3, {}, oriented.view());
  Image<std::uint16_t> restored = rot90(rot90(rot90(raw)));
  for (std::int64_t i = 0; i < 61; ++i)
    for (std::int64_t j = 0; j < 87; ++j)
      ASSERT_EQ(restored.at(60 - i, j), oriented.at(i, j)) << i << ' ' << j;
}

TEST(SimulatedStack, StoresFramesAsTheyAreWhenAskedTo) {
  SimulatedStack stack = small_stack();
  stack.stored = spim::StoredFrames::oriented;
  const StackSimulator simulator(stack);
  Image<std::uint16_t> stored(61, 87), oriented(61, 87);
  simulator.read(3, 0, stored.view());
  simulator.expose(3, {}, oriented.view());
  EXPECT_EQ(stored.pixels, oriented.pixels);
}

TEST(SimulatedStack, GivesRowsOfStoredFramesBitForBit) {
  const StackSimulator simulator(small_stack());
  Image<std::uint16_t> whole(87, 61), part(20, 61);
  simulator.read(12, 0, whole.view());
  simulator.read(12, 50, part.view());
  for (std::int64_t i = 0; i < 20; ++i)
    for (std::int64_t j = 0; j < 61; ++j) ASSERT_EQ(part.at(i, j), whole.at(50 + i, j));
}

TEST(SimulatedStack, AddsNoiseThatDiffersBetweenFramesTilesAndChannels) {
  SimulatedStack stack = small_stack();
  stack.content = spim::StackContent::nothing;
  const auto frame = [](const SimulatedStack& s, std::int64_t k) {
    Image<std::uint16_t> image(s.rows, s.columns);
    StackSimulator(s).expose(k, {}, image.view());
    return image.pixels;
  };
  const auto first = frame(stack, 0);
  EXPECT_EQ(first, frame(stack, 0));
  EXPECT_NE(first, frame(stack, 1));
  SimulatedStack other = stack;
  other.tile = 1;
  EXPECT_NE(first, frame(other, 0));
  other = stack;
  other.phantom.channel = 1;
  EXPECT_NE(first, frame(other, 0));
}

struct Moments {
  double mean = 0, variance = 0;
};

Moments moments_of_noise(const CameraNoise& camera, float level) {
  constexpr std::int64_t kCount = 200'000;
  const std::vector<float> signal(kCount, level);
  std::vector<std::uint16_t> out(kCount);
  spim::add_noise(camera, spim::mix(99), 0, kCount, signal.data(), out.data());
  Moments m;
  for (const double v : out) m.mean += v / kCount;
  for (const double v : out) m.variance += (v - m.mean) * (v - m.mean) / kCount;
  return m;
}

TEST(FrameNoise, HasTheMeanAndVarianceOfShotAndReadNoise) {
  const CameraNoise camera{100, 0.46, 3.5};
  for (const double light : {0.0, 2.0, 10.0, 30.0, 34.0, 36.0, 80.0, 500.0, 20000.0}) {
    const Moments m = moments_of_noise(camera, static_cast<float>(100 + light));
    const double variance = light / 0.46 + 3.5 * 3.5 + 1.0 / 12;
    EXPECT_NEAR(m.mean, 100 + light, 5 * std::sqrt(variance / 200'000)) << light;
    EXPECT_NEAR(m.variance, variance, 0.02 * variance) << light;
  }
}

TEST(FrameNoise, IsNoneWhenNoneIsAskedFor) {
  const CameraNoise camera{100, 0, 0};
  const std::vector<float> signal = {100, 100.4F, 100.6F, 5000, 65535, 90000};
  std::vector<std::uint16_t> out(signal.size());
  spim::add_noise(camera, 1, 0, 6, signal.data(), out.data());
  EXPECT_EQ(out, (std::vector<std::uint16_t>{100, 100, 101, 5000, 65535, 65535}));
}

TEST(FrameNoise, SaturatesInsteadOfWrapping) {
  const Moments m = moments_of_noise({100, 0.46, 3.5}, 70000);
  EXPECT_NEAR(m.mean, 65535, 1e-6);
  EXPECT_NEAR(m.variance, 0, 1e-6);
  // Negative counts become 0: the mean of the positive half of a normal distribution is σ/√(2π).
  EXPECT_NEAR(moments_of_noise({0, 0, 10}, 0).mean, 10 / std::sqrt(2 * std::numbers::pi), 0.1);
}

TEST(FrameNoise, UsesTheNormalDistribution) {
  EXPECT_NEAR(spim::normal_quantile(0.5), 0, 1e-12);
  EXPECT_NEAR(spim::normal_quantile(0.975), 1.959963984540054, 1e-7);
  EXPECT_NEAR(spim::normal_quantile(0.001), -3.090232306167813, 1e-7);
  EXPECT_NEAR(spim::normal_quantile(1e-9), -5.997807015007686, 1e-7);
}

TEST(SimulatedStack, DarkensByTheIlluminationAskedFor) {
  SimulatedStack stack = small_stack();
  stack.illumination = 0.4;
  const StackSimulator simulator(stack);
  double low = 2, high = -1;
  for (std::int64_t i = 0; i < stack.rows; ++i)
    for (std::int64_t j = 0; j < stack.columns; ++j) {
      const double v = simulator.illumination(static_cast<double>(i), static_cast<double>(j));
      low = std::min(low, v);
      high = std::max(high, v);
    }
  EXPECT_NEAR(low, 0.6, 1e-9);
  EXPECT_NEAR(high, 1, 1e-3);
}

TEST(SimulatedStack, DrawsStripesAlongTheColumns) {
  SimulatedStack stack = small_stack();
  stack.stripes = 0.5;
  const StackSimulator simulator(stack);
  double across = 0, along = 0, darkest = 1;
  for (int i = 0; i + 1 < 60; ++i)
    for (int j = 0; j + 1 < 86; ++j) {
      const double here = simulator.stripes(5, i, j);
      across += std::abs(simulator.stripes(5, i + 1, j) - here);
      along += std::abs(simulator.stripes(5, i, j + 1) - here);
      darkest = std::min(darkest, here);
    }
  EXPECT_GT(across, 4 * along);
  EXPECT_GE(darkest, 0.5);
  EXPECT_LT(darkest, 0.85);
}

TEST(SimulatedStack, SurvivesItsDescription) {
  SimulatedStack stack = small_stack();
  stack.phantom.seed = 0xfedcba9876543210ULL;
  stack.phantom.organ_radii_um = {1.1, 2.2, 3.3};
  stack.direction = -1;
  stack.content = spim::StackContent::nothing;
  stack.stored = spim::StoredFrames::oriented;
  stack.x_step_um = 1.0 / 3;
  const std::string text = spim::to_json(stack);
  const SimulatedStack back = spim::stack_from_json(text);
  EXPECT_EQ(spim::to_json(back), text);
  EXPECT_EQ(back.phantom.seed, stack.phantom.seed);
  EXPECT_EQ(back.x_step_um, stack.x_step_um);
  EXPECT_EQ(back.position_um, stack.position_um);
}

TEST(SimulatedStack, RefusesDescriptionsThatMakeNoSense) {
  const auto message = [](const char* text) -> std::string {
    try {
      StackSimulator{spim::stack_from_json(text)};
    } catch (const spim::Error& error) {
      return error.what();
    }
    return "accepted";
  };
  const auto with = [&](const std::string& members) {
    return message(
        (R"({"format":"simulated-stack","frames":1,"rows":2,"columns":3)" + members + "}").c_str());
  };
  EXPECT_EQ(with(""), "accepted");
  EXPECT_THAT(message("{"), HasSubstr("JSON"));
  EXPECT_THAT(message("[]"), HasSubstr("object"));
  EXPECT_THAT(message("{}"), HasSubstr("format"));
  EXPECT_THAT(message(R"({"format":"simulated-stack","frames":1})"), HasSubstr("\"rows\""));
  EXPECT_THAT(with(R"(,"wobble":1)"), HasSubstr("wobble"));
  EXPECT_THAT(with(R"(,"tilt_degrees":"45")"), HasSubstr("tilt_degrees"));
  EXPECT_THAT(with(R"(,"tilt_degrees":95)"), HasSubstr("tilt"));
  EXPECT_THAT(with(R"(,"direction":0)"), HasSubstr("direction"));
  EXPECT_THAT(with(R"(,"direction":4294967297)"), HasSubstr("direction"));
  EXPECT_THAT(with(R"(,"tile":1.5)"), HasSubstr("tile"));
  EXPECT_THAT(with(R"(,"position_um":[1,2])"), HasSubstr("position_um"));
  EXPECT_THAT(with(R"(,"position_um":[1,2,1e300])"), HasSubstr("position"));
  EXPECT_THAT(with(R"(,"stored":"sideways")"), HasSubstr("stored"));
  EXPECT_THAT(with(R"(,"phantom":{"seed":-1})"), HasSubstr("seed"));
  EXPECT_THAT(with(R"(,"phantom":{"scale":0})"), HasSubstr("scale"));
  EXPECT_THAT(with(R"(,"read_noise":-1)"), HasSubstr("read noise"));
  EXPECT_THAT(message(R"({"format":"simulated-stack","frames":0,"rows":2,"columns":3})"),
              HasSubstr("frames"));
  EXPECT_THAT(message(R"({"format":"simulated-stack","frames":1,"rows":4294967296,"columns":4294967296})"),
              HasSubstr("frame"));
}

}  // namespace
