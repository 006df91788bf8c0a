#pragma once
/// What an alignment found: everything behind the alignment file, the verdict and a report.
///
/// Lengths called voxels are in voxels of the aligned level, x, y, z; a shift is how far a tile is from where
/// the stage says: true position minus nominal position.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "spim/aligner.hpp"
#include "spim/geometry.hpp"
#include "spim/host/oblique_geometry.hpp"

namespace spim {

/// A tile that is to be aligned.
struct TileToAlign {
  std::string name;    ///< its path, for messages
  Vec3 stage_um;       ///< from its name: the key in the alignment file
  Vec3 nominal_um;     ///< where it is placed without an alignment: the stage's, y mirrored if that runs down
  Vec3 origin_um;      ///< of voxel (0,0,0), relative to the position of the tile
  ValidRegion region;  ///< of its voxels
};

/// A tile and where it really is.
struct AlignedTile : TileToAlign {
  Vec3 position_um;            ///< solved; the smallest of all tiles is 0 on each axis
  Vec3 shift_voxels;           ///< solved minus nominal position, up to AlignmentResult::origin_um
  Vec3 expected_error_voxels;  ///< one standard deviation, relative to the middle of its component
  int component = 0;           ///< tiles of one component are connected by trusted links
  bool linked = false;         ///< false: no trusted link; it stays where the stage says
  bool certain = false;        ///< true: linked, and no other explanation of the links moves it
  std::string remark;          ///< what is odd about it, a phrase; "" if nothing
};

/// What the overlap of two tiles says.
struct AlignedLink {
  std::size_t fixed = 0;  ///< index of a tile
  std::size_t moving = 0;
  Vec3 guess_voxels;                 ///< nominal position of `moving` in the voxel frame of `fixed`
  std::string aligner;               ///< whose samples these are
  std::vector<ShiftSample> samples;  ///< all that it gave
  std::vector<std::uint8_t> agrees;  ///< for each sample 1 if it belongs to the consensus
  Vec3 shift_voxels;                 ///< consensus: how much further `moving` is from `fixed` than nominally
  Vec3 error_voxels;                 ///< its standard deviation
  double correlation = 0;            ///< median of the samples that agree
  double confidence = 0;             ///< 0 … 1
  bool measured = false;             ///< the samples have a consensus
  bool trusted = false;              ///< it counts in the solution
  bool confirmed = false;            ///< loops of other links, or a second aligner, say the same
  std::string rejection;             ///< why it is not trusted, a phrase; "" if it is
  Vec3 residual_voxels;              ///< measured minus solved shift
};

/// A length that all tiles share, estimated from how far apart tiles are in voxels and on the stage.
struct ScaleEstimate {
  double given_um = 0;
  double value_um = 0;           ///< the estimate, or what was given when it is not determined
  double standard_error_um = 0;  ///< 0 when there was nothing to estimate it from
  bool determined = false;  ///< it is better than what was given: known to 0.1 %, or to 0.5 % and 3 sigma off
};

enum class Verdict {
  good,       ///< use it
  look,       ///< usable; the findings say which links and tiles to look at
  do_not_use  ///< the overlaps do not tell where the tiles are
};

struct AlignmentResult {
  std::vector<AlignedTile> tiles;
  std::vector<AlignedLink> links;  ///< all pairs that were looked at, in the order of (fixed, moving)
  Vec3 voxel_um;                   ///< of the aligned level, as given
  Vec3 full_voxel_um;              ///< of full resolution, as given; 0: the same
  bool align_xz = false;           ///< false: only y was solved for
  Vec3 origin_um;                  ///< stage position of 0,0,0: position + origin = nominal + shift
  ScaleEstimate y_voxel;
  ScaleEstimate x_step;
  double residual_rms_voxels = 0;    ///< of the trusted links, over the solved axes
  double residual_worst_voxels = 0;  ///< largest along any solved axis
  Verdict verdict = Verdict::do_not_use;
  std::vector<std::string> findings;  ///< reasons for the verdict, and culprits, one sentence each
};

/// "good", "look at these links" or "do not use".
const char* verdict_text(Verdict verdict) noexcept;

}  // namespace spim
