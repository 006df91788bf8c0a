// link: spim_chunked
// Frames whose byte planes are compressed apart are Blosc frames.
#include "common/blosc_zstd.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "common/blosc_codec.hpp"

namespace {

using spim::chunked::Scratch;

std::vector<std::uint16_t> camera_counts(std::size_t samples, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> noise(0.f, 20.f);
  std::vector<std::uint16_t> values(samples);
  for (std::size_t i = 0; i < samples; ++i)
    values[i] = static_cast<std::uint16_t>(400.f + static_cast<float>(i % 5000) * .2f + noise(random));
  return values;
}

std::vector<std::uint16_t> white_noise(std::size_t samples) {
  std::mt19937 random(7);
  std::vector<std::uint16_t> values(samples);
  for (auto& v : values) v = static_cast<std::uint16_t>(random());
  return values;
}

/// Encodes, lets Blosc decode, and returns the size of the frame.
std::size_t expect_round_trip(int level, const std::vector<std::uint16_t>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  Scratch encoded, decoded;
  const auto frame = spim::chunked::zstd_planes_encode(level, bytes, encoded);
  const std::byte* back = spim::chunked::blosc_decode(frame, bytes.size(), decoded);
  EXPECT_EQ(std::memcmp(back, bytes.data(), bytes.size()), 0) << bytes.size() << " bytes, level " << level;
  return frame.size();
}

TEST(BloscZstd, EveryLevelIsReadByBlosc) {
  const auto values = camera_counts(64 * 64 * 64, 1);
  for (int level = 1; level <= 9; ++level)
    EXPECT_LT(expect_round_trip(level, values), values.size() * 2 * 7 / 10) << level;
}

// The last block of a frame is laid out differently when it is shorter than the others.
TEST(BloscZstd, EverySizeIsReadByBlosc) {
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  for (const std::size_t samples : {std::size_t{2048}, std::size_t{2049}, kBlock - 1, kBlock, kBlock + 1,
                                    kBlock * 3 / 2 - 1, kBlock * 3 / 2, kBlock * 2 + 1, kBlock * 5 / 2 + 1,
                                    std::size_t{62 * 64 * 64}, std::size_t{61 * 63 * 59}, kBlock * 32 + 17})
    expect_round_trip(3, camera_counts(samples, static_cast<std::uint32_t>(samples)));
}

TEST(BloscZstd, NoiseIsStoredAndNeverGrowsBeyondAHeader) {
  for (const std::size_t samples : {std::size_t{2048}, std::size_t{64 * 64 * 64}, std::size_t{61 * 63 * 59}})
    EXPECT_EQ(expect_round_trip(3, white_noise(samples)), samples * 2 + 16);
}

TEST(BloscZstd, ConstantAndSaturatedSamplesAreReadByBlosc) {
  for (const int value : {0, 1, 255, 256, 65535})
    EXPECT_LT(
        expect_round_trip(3, std::vector<std::uint16_t>(64 * 64 * 64, static_cast<std::uint16_t>(value))),
        1000u);
}

TEST(BloscZstd, AFrameDoesNotDependOnWhatWasEncodedBefore) {
  const auto values = camera_counts(100000, 3);
  const auto bytes = std::as_bytes(std::span(values));
  Scratch a, b;
  const auto first = spim::chunked::zstd_planes_encode(3, bytes, a);
  const std::vector<std::byte> kept(first.begin(), first.end());
  expect_round_trip(9, white_noise(70001));
  expect_round_trip(1, camera_counts(4000, 4));
  const auto second = spim::chunked::zstd_planes_encode(3, bytes, b);
  ASSERT_EQ(kept.size(), second.size());
  EXPECT_EQ(std::memcmp(kept.data(), second.data(), kept.size()), 0);
}

}  // namespace
