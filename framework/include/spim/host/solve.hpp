#pragma once
/// From shifts of pairs to positions of all tiles: a robust, weighted, global least-squares solution.

#include "spim/host/alignment.hpp"

namespace spim {

struct ConsensusSettings {
  double radius_voxels = 1.5;     ///< samples this near to each other say the same
  double least_confidence = 0.5;  ///< of a link that counts
};

/// Finds what most of `link.samples` say (weighted by their confidence) and fills agrees, shift, error,
/// correlation, confidence, measured and, when there is no consensus, rejection. Correlation and confidence
/// of the samples are as the aligner gave them.
void find_consensus(AlignedLink& link, const ConsensusSettings& settings);

struct SolveSettings {
  bool align_xz = false;        ///< solve for x and z too; otherwise only y moves
  double stage_voxels = 10;     ///< how far tiles may be from their nominal position; a weak prior
  double tolerance_voxels = 1;  ///< a link that contradicts the others by more is rejected
  bool fit_voxel_size = true;   ///< estimate the y voxel size, and the x step with align_xz
};

/// Solves for the positions of result.tiles from those result.links that are measured: fills everything else
/// but the samples and what find_consensus() and confirmation gave. Links whose residual is beyond the
/// tolerance are rejected (graduated non-convexity with truncated least squares, Yang et al. 2020, started
/// from all links); tiles without a trusted link and the components of the graph of trusted links are kept at
/// the stage by the prior. The result depends on nothing but the arguments.
void solve_positions(AlignmentResult& result, const SolveSettings& settings);

}  // namespace spim
