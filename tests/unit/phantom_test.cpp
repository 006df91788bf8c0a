/// The synthetic tissue: a pure function of position, drawn the same way from every side.

#include "phantom/phantom.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "phantom/hash.hpp"
#include "spim/error.hpp"

namespace {

using spim::Phantom;
using spim::PhantomSettings;
using spim::Plane;
using spim::Vec3;

std::vector<float> render(const Phantom& phantom, const Plane& plane) {
  std::vector<float> values(static_cast<std::size_t>(plane.rows * plane.columns), -1.0F);
  phantom.render(plane, {values.data(), plane.rows, plane.columns, plane.columns});
  return values;
}

double correlation(const std::vector<float>& a, const std::vector<float>& b) {
  double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
  for (std::size_t n = 0; n < a.size(); ++n) {
    ma += a[n] / static_cast<double>(a.size());
    mb += b[n] / static_cast<double>(a.size());
  }
  for (std::size_t n = 0; n < a.size(); ++n) {
    ab += (a[n] - ma) * (b[n] - mb);
    aa += (a[n] - ma) * (a[n] - ma);
    bb += (b[n] - mb) * (b[n] - mb);
  }
  return ab / std::sqrt(aa * bb);
}

const Plane kSheet{{1200, -340, 77}, 45, 1.8, 1.8, 0, 0, 200, 160};

TEST(Phantom, IsTheSameEachTimeForASeedAndAnotherForAnotherSeed) {
  const Phantom phantom(5, 0), again(5, 0), other(6, 0);
  EXPECT_EQ(render(phantom, kSheet), render(again, kSheet));
  EXPECT_LT(std::abs(correlation(render(phantom, kSheet), render(other, kSheet))), 0.1);
}

TEST(Phantom, GivesPartsOfAPlaneBitForBit) {
  const Phantom phantom(5, 0);
  const std::vector<float> whole = render(phantom, kSheet);
  Plane part = kSheet;
  part.first_row = 31;
  part.first_column = 57;
  part.rows = 100;
  part.columns = 71;
  const std::vector<float> values = render(phantom, part);
  for (std::int64_t i = 0; i < part.rows; ++i)
    for (std::int64_t j = 0; j < part.columns; ++j)
      ASSERT_EQ(values[static_cast<std::size_t>(i * part.columns + j)],
                whole[static_cast<std::size_t>((i + 31) * kSheet.columns + j + 57)])
          << i << ' ' << j;
}

TEST(Phantom, ShowsTheSameTissueWhicheverWayItIsCut) {
  const Phantom phantom(9, 1);
  const std::vector<float> sheet = render(phantom, kSheet);
  spim::Draw draw(3);
  double brightest = 0;
  for (int n = 0; n < 3000; ++n) {
    const auto i = static_cast<std::int64_t>(draw.uniform() * 200),
               j = static_cast<std::int64_t>(draw.uniform() * 160);
    const double along = static_cast<double>(j) * 1.8 * std::numbers::sqrt2 / 2;
    const Vec3 at{1200 + along, -340 + static_cast<double>(i) * 1.8, 77 + along};
    const float point = phantom.intensity(at);
    const float drawn = sheet[static_cast<std::size_t>(i * 160 + j)];
    ASSERT_NEAR(point, drawn, 1e-2 + 2e-4 * point) << n;
    brightest = std::max(brightest, static_cast<double>(point));
  }
  EXPECT_GT(brightest, 500);  // cells were among the points
}

TEST(Phantom, ShowsObjectsOfOneChannelInAnotherWithOtherBrightness) {
  const Phantom first(4, 0), second(4, 1);
  const std::vector<float> a = render(first, kSheet), b = render(second, kSheet);
  EXPECT_NE(a, b);
  const double r = correlation(a, b);
  EXPECT_GT(r, 0.4);
  EXPECT_LT(r, 0.97);
}

TEST(Phantom, HasDarkBackgroundAndSomeBrightObjectsAsTissueHas) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    std::vector<float> v = render(Phantom(seed, 0), {{0, 0, 0}, 45, 1.8, 1.8, 0, 0, 512, 512});
    std::sort(v.begin(), v.end());
    const auto at = [&](double q) {
      return v[static_cast<std::size_t>(q * static_cast<double>(v.size() - 1))];
    };
    EXPECT_GT(at(0), 30) << "tissue is never black";
    EXPECT_LT(at(0.5), 350);
    EXPECT_GT(at(0.99), 3 * at(0.5)) << "cells stand out";
    EXPECT_LT(at(0.85), 2 * at(0.5)) << "but fill little of the volume";
    EXPECT_LT(at(1), 30000);
  }
}

TEST(Phantom, IsEmptyOutsideItsOrgan) {
  PhantomSettings settings;
  settings.organ_centre_um = {500, 500, 500};
  settings.organ_radii_um = {300, 400, 200};
  const Phantom phantom(settings);
  EXPECT_GT(phantom.intensity({500, 500, 500}), 30);
  EXPECT_EQ(phantom.intensity({1200, 500, 500}), 0);
  EXPECT_EQ(phantom.intensity({500, -100, 500}), 0);
  EXPECT_EQ(phantom.intensity({500, 500, 1000}), 0);
}

TEST(Phantom, GrowsWithItsScale) {
  PhantomSettings settings;
  settings.scale = 2;
  const Plane twice{{200, 60, 40}, 45, 3.6, 3.6, 0, 0, 90, 90};
  const Plane once{{100, 30, 20}, 45, 1.8, 1.8, 0, 0, 90, 90};
  EXPECT_GT(correlation(render(Phantom(settings), twice), render(Phantom(1, 0), once)), 0.9999);
}

TEST(Phantom, RepeatsWithThePeriodAskedFor) {
  PhantomSettings settings;
  settings.repeat_um = 160;
  const Phantom phantom(settings);
  Plane moved = kSheet;
  moved.origin_um = kSheet.origin_um + Vec3{160, -320, 0};
  EXPECT_GT(correlation(render(phantom, kSheet), render(phantom, moved)), 0.999);
  moved.origin_um.x += 40;
  EXPECT_LT(correlation(render(phantom, kSheet), render(phantom, moved)), 0.3);
}

TEST(Phantom, RefusesTheImpossible) {
  const auto refused = [](auto change) {
    PhantomSettings settings;
    change(settings);
    EXPECT_THROW(Phantom{settings}, spim::UsageError);
  };
  refused([](PhantomSettings& s) { s.scale = 0; });
  refused([](PhantomSettings& s) { s.scale = std::nan(""); });
  refused([](PhantomSettings& s) { s.brightness = -1; });
  refused([](PhantomSettings& s) { s.organ_radii_um = {10, 0, 10}; });
  refused([](PhantomSettings& s) { s.repeat_um = 100; });
}

}  // namespace
