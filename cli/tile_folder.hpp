#pragma once
/// The tiles of an acquisition, of camera files or of converted volumes: found, described, opened.

#include <memory>
#include <string>
#include <vector>

#include "scan_options.hpp"
#include "session.hpp"
#include "spim/host/alignment.hpp"
#include "spim/host/config.hpp"
#include "spim/host/tiles.hpp"
#include "spim/host/volume_source.hpp"

namespace spim::cli {

/// What is under the root of the layout.
enum class TileKind { camera_files, volumes };

/// Camera files when there is one under `root` (as far as the layout reaches), volumes otherwise.
TileKind kind_of_tiles(Session& session, const std::string& root);

/// A tile opened as a volume.
struct OpenTile {
  std::shared_ptr<VolumeSource> volume;
  Vec3 origin_um;  ///< of voxel (0,0,0), relative to the stage position
};

/// Where tiles are and how they are read.
struct TileAccess {
  std::string input;  ///< root of the layout
  TileKind kind = TileKind::camera_files;
  Selections plugins;  ///< completed
  ScanSettings scan;
  StackOptions stack;
  bool is_oblique = true;  ///< of converted volumes
  std::int32_t level = 0;  ///< of converted volumes; 0 is full resolution
  std::string pattern;     ///< of paths below `input`, as a shell matches them; "" for all
};

class TileFolder {
 public:
  /// Finds the tiles. Throws Error as find_camera_tiles() does, and when no tile matches the pattern.
  /// `session` outlives this and what is opened.
  TileFolder(Session& session, TileAccess access);

  const std::vector<TilePath>& paths() const noexcept { return paths_; }

  /// Voxel pitch at full resolution, which the settings of the scan decide.
  Vec3 full_voxel_um() const;

  /// Opens tile number i, corrected as the access says. `checks` says whether to report what is odd about a
  /// camera file: once is enough. [any thread, without checks and corrections]
  OpenTile open(std::size_t i, StackChecks checks);
  TileKind kind() const noexcept { return access_.kind; }
  /// How frames of camera files are corrected.
  const Correctors& corrections() const { return opener_.corrections(); }

 private:
  OpenTile open_camera_tile(const std::filesystem::path& path, StackChecks checks);
  OpenTile open_volume_tile(const std::filesystem::path& path) const;

  Session* session_;
  TileAccess access_;
  StackOpener opener_;
  std::vector<TilePath> paths_;
};

/// Tiles of one acquisition have one shape; only the number of frames may differ, when stacks that were cut
/// short are allowed. Throws Error naming the first that differs.
void check_shapes(const std::vector<TilePath>& paths, const std::vector<Index3>& shapes,
                  const StackOptions& stack);

/// Where tiles are without an alignment.
struct StagePlacement {
  bool negative_y = false;    ///< the stage's y runs against the rows
  std::int64_t z_offset = 0;  ///< voxels between ranks of z; 0: z of the names
  double voxel_z_um = 1;
};
std::vector<Vec3> nominal_positions(const std::vector<TilePath>& tiles, const StagePlacement& placement);

}  // namespace spim::cli
