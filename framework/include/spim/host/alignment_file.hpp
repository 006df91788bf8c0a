#pragma once
/// The file in which an alignment says where the tiles really are.
///
/// JSON. `alignments` maps a JSON-encoded nominal position [x,y,z] or [x,y] (µm, from the names of the tiles)
/// to the true one [x',y',z'] (µm, in units of `voxel_sizes`); `align-z` says whether x and z were aligned
/// too, or y only. docs/alignment.md describes the rest.

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spim/host/alignment.hpp"
#include "spim/host/config.hpp"

namespace spim {

/// An alignment that was read: positions only.
class AlignmentFile {
 public:
  /// Throws Error naming the file and what is wrong in it: unreadable, larger than 512 MiB, not JSON, nested
  /// deeper than 32 levels, a key twice, no object `alignments`, positions that are none.
  explicit AlignmentFile(const std::filesystem::path& path);

  bool aligns_xz() const noexcept { return aligns_xz_; }
  /// Where the tile that the stage put at `stage_um` really is; nothing when the file does not know it. Axes
  /// that the file leaves out are those of the stage.
  std::optional<Vec3> find(Vec3 stage_um) const;
  /// All of them: stage and true position; z of the stage is 0 where the file knows only x and y.
  std::vector<std::pair<Vec3, Vec3>> positions() const;
  /// Voxel sizes that the positions were computed with, µm, x, y, z; nothing for files of the original
  /// programs, whose positions are taken as they stand.
  std::optional<Vec3> voxel_um() const noexcept { return voxel_um_; }
  /// Stage position of 0,0,0 of the file, µm; 0,0,0 when the file does not say.
  Vec3 origin_um() const noexcept { return origin_um_; }
  /// The verdict of the alignment ("good" …); "" when the file has none.
  const std::string& verdict() const noexcept { return verdict_; }
  std::size_t size() const noexcept { return by_xyz_.size() + by_xy_.size(); }

 private:
  using Key = std::array<std::int64_t, 3>;  ///< tenths of a micrometre, as exact as the names of tiles

  void add(const std::vector<double>& from, const std::vector<double>& to);

  bool aligns_xz_ = false;
  std::optional<Vec3> voxel_um_;
  Vec3 origin_um_;
  std::string verdict_;
  std::map<Key, Vec3> by_xyz_;
  std::map<Key, Vec3> by_xy_;  ///< key z is 0
};

/// The file for `result`, made by the call `made_by`: the keys of the original programs, and ours.
std::string alignment_text(const AlignmentResult& result, const Configuration& made_by);

/// Writes alignment_text() under a temporary name, makes it durable and renames it. Throws Error.
void save_alignment(const AlignmentResult& result, const Configuration& made_by,
                    const std::filesystem::path& file);

}  // namespace spim
