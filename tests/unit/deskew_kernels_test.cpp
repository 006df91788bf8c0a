#include "framework/src/deskew_kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/fake_frames.hpp"

namespace {

using spim::detail::DeskewKernels;
using spim::detail::RowList;

/// Rows each in an allocation of its own, so that a sanitizer sees any step beyond them.
struct Rows {
  Rows(std::size_t count, std::size_t columns) : samples(count, std::vector<std::uint16_t>(columns)) {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < columns; ++j)
        samples[i][j] =
            spim::test::FakeFrames::sample(0, static_cast<std::int64_t>(i), static_cast<std::int64_t>(j));
      pointers.push_back(samples[i].data());
    }
  }
  std::vector<std::vector<std::uint16_t>> samples;
  std::vector<const std::uint16_t*> pointers;
};

class EveryMachine : public testing::TestWithParam<const DeskewKernels*> {
 protected:
  void SetUp() override {
    if (GetParam() == &spim::detail::kAvx2Kernels && !__builtin_cpu_supports("avx2"))
      GTEST_SKIP() << "this machine has no AVX2";
  }
};

const std::size_t kSizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64};

TEST_P(EveryMachine, TransposesRowsOfAnyNumberAndLength) {
  for (const std::size_t count : kSizes)
    for (const std::size_t columns : kSizes) {
      const Rows rows(count, columns);
      std::vector<std::uint16_t> out(count * columns);
      GetParam()->transpose({rows.pointers.data(), count, columns, 64}, out.data(),
                            static_cast<std::ptrdiff_t>(count));
      for (std::size_t j = 0; j < columns; ++j)
        for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(out[j * count + i], rows.samples[i][j]);
    }
}

TEST_P(EveryMachine, TransposesUpsideDown) {
  const Rows rows(21, 19);
  std::vector<std::uint16_t> out(21 * 19);
  GetParam()->transpose({rows.pointers.data(), 21, 19, 0}, out.data() + 18 * 21, -21);
  for (std::size_t j = 0; j < 19; ++j)
    for (std::size_t i = 0; i < 21; ++i) ASSERT_EQ(out[(18 - j) * 21 + i], rows.samples[i][j]);
}

TEST_P(EveryMachine, InterpolatesRoundedToNearest) {
  for (const float weight : {1e-7F, 0.25F, 0.5F, 0.73F, 0.9999999F})
    for (const std::size_t count : kSizes)
      for (const std::size_t columns : kSizes) {
        const Rows rows(count + 1, columns);
        std::vector<std::uint16_t> out(count * columns);
        GetParam()->interpolate({rows.pointers.data(), count, columns, 64}, weight, out.data(),
                                static_cast<std::ptrdiff_t>(columns));
        for (std::size_t i = 0; i < count; ++i)
          for (std::size_t j = 0; j < columns; ++j) {
            const double a = rows.samples[i][j], b = rows.samples[i + 1][j];
            // The product is rounded to float, 2^-9 at most, before the sum is.
            ASSERT_NEAR(out[i * columns + j], a + static_cast<double>(weight) * (b - a), 0.502)
                << weight << ' ' << i << ' ' << j;
          }
      }
}

TEST_P(EveryMachine, InterpolatesToTheSameBits) {
  // 64 columns go through the widest instructions, 5 through none.
  const Rows rows(65, 64);
  std::vector<std::uint16_t> wide(64 * 64), narrow(64 * 64);
  for (const float weight : {0.123F, 0.5F, 0.875F}) {
    GetParam()->interpolate({rows.pointers.data(), 64, 64, 0}, weight, wide.data(), 64);
    for (std::size_t j = 0; j < 64; j += 5) {
      std::vector<const std::uint16_t*> part;
      for (const std::uint16_t* row : rows.pointers) part.push_back(row + j);
      GetParam()->interpolate({part.data(), 64, std::min<std::size_t>(5, 64 - j), 0}, weight,
                              narrow.data() + j, 64);
    }
    EXPECT_EQ(wide, narrow) << weight;
  }
}

INSTANTIATE_TEST_SUITE_P(Deskew, EveryMachine,
                         testing::Values(&spim::detail::kBaselineKernels, &spim::detail::kAvx2Kernels),
                         [](const auto& machine) { return machine.param->name; });

}  // namespace
