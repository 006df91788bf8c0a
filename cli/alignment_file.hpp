#pragma once
/// The file in which an alignment says where the tiles really are.

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>

#include "spim/geometry.hpp"

namespace spim::cli {

/// JSON: `alignments` maps a JSON-encoded nominal position [x,y,z] or [x,y] (µm, from the names of the tiles)
/// to the true one [x',y',z'] (µm); `align-z` says whether x and z were aligned too, or y only.
class AlignmentFile {
 public:
  /// Throws Error naming the file and what is wrong in it.
  explicit AlignmentFile(const std::filesystem::path& path);

  bool aligns_xz() const noexcept { return aligns_xz_; }
  /// Where the tile that the stage put at `stage_um` really is; nothing when the file does not know it. Axes
  /// that the file leaves out are those of the stage.
  std::optional<Vec3> find(Vec3 stage_um) const;

 private:
  using Key = std::array<std::int64_t, 3>;  ///< tenths of a micrometre, as exact as the names of tiles

  bool aligns_xz_ = false;
  std::map<Key, Vec3> by_xyz_;
  std::map<Key, Vec3> by_xy_;  ///< key z is 0
};

}  // namespace spim::cli
