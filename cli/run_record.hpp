#pragma once
/// What a process did for a run and how long it took: a file of its own in OUTPUT.run/processes, so that
/// the report can add up runs that were interrupted or shared out.

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "session.hpp"
#include "spim/geometry.hpp"
#include "spim/host/frame_corrector.hpp"
#include "spim/host/run_folder.hpp"
#include "spim/host/stage_meter.hpp"

namespace spim::cli {

/// A tile of a stitched volume, and where it was put.
struct TileFact {
  std::string path;  ///< of its camera file
  Vec3 stage_um;     ///< from its names
  Vec3 nominal_um;   ///< of its voxel (0,0,0) on the stage, without alignment
  Vec3 first_um;     ///< of its voxel (0,0,0) in the volume
  Index3 shape;      ///< voxels
  std::int64_t frames = 0, rows = 0, columns = 0;
  std::int64_t camera_bytes = 0;  ///< of its frames
};

/// Seconds and stages of one phase in one process.
struct PhaseFact {
  double seconds = 0;
  std::array<StageTotals, kAllStages.size()> stages;
};

class RunRecord {
 public:
  /// Begins the file. `session` outlives this.
  RunRecord(Session& session, const RunFolder& folder, std::filesystem::path input);
  /// Completes it; what cannot be written is left out of the report.
  ~RunRecord();
  RunRecord(const RunRecord&) = delete;
  RunRecord& operator=(const RunRecord&) = delete;

  /// What follows belongs to `phase`. [main thread]
  void enter(std::string_view phase);
  /// The tiles of the volume.
  void set_tiles(std::vector<TileFact> tiles);
  /// Counts what is clipped from now on.
  void watch(std::shared_ptr<const ClipTally> tally);
  /// Writes everything down. Throws nothing. [any thread]
  void save() noexcept;

 private:
  std::string text() const;
  void close_phase();
  void keep_saving();

  Session& session_;
  std::filesystem::path file_, input_, output_;
  std::string token_;
  double began_ = 0;
  std::size_t warnings_before_ = 0;
  mutable std::mutex mutex_;
  std::string phase_;
  double phase_began_ = 0;
  std::array<StageTotals, kAllStages.size()> phase_stages_{};
  std::map<std::string, PhaseFact> phases_;
  std::vector<TileFact> tiles_;
  std::shared_ptr<const ClipTally> tally_;
  std::condition_variable stop_;
  bool stopped_ = false;
  std::thread thread_;
};

/// Texts of the records of all processes that worked on a run, in the order in which they began.
std::vector<std::string> run_records(const RunFolder& folder);

}  // namespace spim::cli
