#pragma once
/// A synthetic acquisition with known truth: what a microscope would write, and what it really looked at.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "phantom/phantom.hpp"
#include "phantom/simulated_stack.hpp"
#include "spim/geometry.hpp"
#include "spim/host/dcimg_writer.hpp"
#include "spim/host/executor.hpp"
#include "spim/host/oblique_geometry.hpp"
#include "spim/host/progress.hpp"

namespace spim {

enum class SimulatedFiles {
  dcimg,        ///< camera files
  descriptions  ///< *.simulated.json, which the reader `simulated` turns into the same frames
};

/// A tile that the stage put far from where it says.
struct Displacement {
  Index3 tile;
  Vec3 by_um;
};

/// What to simulate. The defaults make one small tile.
struct SimulationSettings {
  std::uint64_t seed = 1;
  std::vector<std::string> channels = {"Ex_488_Em_1"};
  StackShape stack{150, 256, 256};  ///< of a tile, oriented: rows y, columns depth
  ScanSettings scan;
  Index3 tiles{1, 1, 1};                ///< number along x, y, z
  Vec3 overlap{0.1, 0.1, 0.1};          ///< of neighbours along x, y, z, as a fraction of a tile
  Vec3 origin_um;                       ///< nominal position of the first tile
  bool negative_y = false;              ///< the stage's y runs against the rows: names hold its opposite
  Vec3 stage_error_um;                  ///< largest deviation of a tile from its nominal position, per axis
  std::vector<Displacement> displaced;  ///< added to the stage error
  std::vector<Index3> empty_tiles;      ///< tiles that show nothing
  double organ_size = 1.2;  ///< half axes of the organ over those of the acquisition; 0: tissue everywhere
  double scale = 1;         ///< see PhantomSettings
  double brightness = 1;
  double repeat_um = 0;
  CameraNoise noise;
  double illumination = 0;  ///< see SimulatedStack
  double stripes = 0;
  StoredFrames stored = StoredFrames::as_camera;
  SimulatedFiles files = SimulatedFiles::dcimg;
  DcimgVersion version = DcimgVersion::v1;
};

/// One stack of an acquisition.
struct TrueTile {
  std::string channel;
  std::string file;  ///< relative to the acquisition's folder
  Index3 index;      ///< in the grid of tiles
  Vec3 stage_um;     ///< what its name says, a multiple of 0.1 µm
  Vec3
      nominal_um;  ///< where that puts it: the same, with the opposite y if the stage's runs against the rows
  SimulatedStack stack;  ///< stack.position_um is where it really was
  Vec3 error_um() const noexcept { return stack.position_um - nominal_um; }
};

/// An acquisition with everything worked out: channels in the order given, tiles in rising z, y, x inside
/// each. Throws UsageError for impossible settings. Nothing is written.
std::vector<TrueTile> plan_simulation(const SimulationSettings& settings);

/// What simulate() wrote.
struct SimulationReport {
  std::int64_t files = 0;
  std::int64_t frames = 0;
  std::int64_t pixel_bytes = 0;
};

/// Writes the acquisition into the folder `output`, which is created: CHANNEL/<x>/<x>_<y>/<z>.dcimg,
/// metadata.txt, and the truth in truth/ (docs/simulation.md). The files do not depend on the number of
/// workers; memory does not depend on the number of frames. Throws Error when the disk has no room. The
/// caller publishes the folder.
SimulationReport simulate(const SimulationSettings& settings, const std::filesystem::path& output,
                          const Executor& executor, Progress& progress);

/// The tiles of the acquisition in `folder`, from its truth/truth.json. Throws Error when it is missing or
/// damaged.
std::vector<TrueTile> read_truth(const std::filesystem::path& folder);

}  // namespace spim
