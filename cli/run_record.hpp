#pragma once
/// What a process did for a run and how long it took: a file of its own in OUTPUT.run/processes, so that
/// the report can add up runs that were interrupted or shared out.

#include <array>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "spim/host/frame_corrector.hpp"
#include "spim/host/run_folder.hpp"
#include "spim/host/stage_meter.hpp"
#include "spim/volume_writer.hpp"
#include "stitching.hpp"

namespace spim::cli {

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
  /// What is made of what.
  void set_volume(const VolumeSpec& spec, std::vector<StitchedTile> tiles);
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
  std::optional<VolumeSpec> volume_;
  std::vector<StitchedTile> tiles_;
  std::shared_ptr<const ClipTally> tally_;
  std::condition_variable stop_;
  bool stopped_ = false;
  std::thread thread_;
};

/// Texts of the records of all processes that worked on a run, in the order in which they began.
std::vector<std::string> run_records(const RunFolder& folder);

}  // namespace spim::cli
