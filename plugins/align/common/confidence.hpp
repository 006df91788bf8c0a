#pragma once
/// How far a match can be trusted.

#include "common/peak.hpp"

namespace spim::alignment {

/// What speaks for and against a match.
struct Evidence {
  double correlation = 0;  ///< at the maximum
  double score = 0;        ///< the same as the survey vouches for it (survey.hpp)
  double second = 0;       ///< score of the best other maximum within reach; −1 when there is none
  double samples = 0;      ///< independent ones in the window: its volume over that of the smoothing
  double agreement = 0;    ///< correlation at the finest smoothing that was used, as its samples vouch for it
  int moves = 0;  ///< how often the search left what it had read; only the last place was surveyed fully
  double deviation = 0;  ///< expected error of the position along the worst axis, voxels
};

/// Expected error of the position of `peak` along the worst axis, in voxels. For a window of N independent
/// samples the covariance of the position is (1 − r²)/(r·N)·A⁻¹ with A the curvature of the correlation: the
/// Cramér–Rao bound for white noise under the smoothing.
double expected_deviation(const Peak& peak, double samples, Index3 step);

/// From this confidence on a sample is not wrong by more than two voxels: none of some thousand was in
/// simulated tiles with shot noise, stripes and uneven illumination.
inline constexpr double kTrusted = 0.5;

/// About the probability that the position is right to half a voxel on every axis, 0 … 1: the product of
///   precise    = erf(0.5 / √2·d), d = √(deviation² + 0.05²)
///   distinct   = erf(lead / √2), lead = (atanh score − atanh second)·√(samples − 3) / 2
///   unrivalled = from 1 where second ≤ 0.75·score to 0 where second ≥ 0.95·score: noise is not all that
///                distinguishes two places of a repeated structure, so no number of samples makes one sure
///   0.7^moves: far from where the stage says, chance has had more places to try
///   agreement³, for windows that agree only so far.
double confidence(const Evidence& evidence);

}  // namespace spim::alignment
