#pragma once
/// One channel from camera files to a published volume, in tasks that are kept in OUTPUT.run: whatever
/// happens, the next process goes on where this one stopped.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "extra_outputs.hpp"
#include "run_manifest.hpp"
#include "run_options.hpp"
#include "run_outputs.hpp"
#include "spim/host/run_folder.hpp"
#include "spim/host/run_lock.hpp"
#include "spim/host/run_plan.hpp"
#include "spim/host/task_layout.hpp"
#include "spim/host/task_sweep.hpp"
#include "spim/host/task_units.hpp"
#include "stitching.hpp"

namespace spim {
class TaskCommitter;
}

namespace spim::cli {

class RunRecord;

/// An earlier phase is not complete yet, or somebody else is at work: worth another try later.
struct NotYet : Error {
  using Error::Error;
};

/// What is done with one channel. The request's plugins are resolved.
struct ChannelRequest {
  StitchRequest stitching;
  RunOptions run;
  Configuration saved;  ///< the command and its options
  bool measure_flat = false;
  bool align = false;
  std::string alignment_of_first;   ///< file that another channel of the same call makes; "" for none
  std::vector<ExtraOutput> extras;  ///< the volume in other formats
  bool keep_stacks = false;         ///< keep the volumes of the tiles, too
  std::size_t channels_after = 0;   ///< that this call makes when this one is done
};

/// The alignment that a channel makes: beside the output, named after the channel as the original script
/// does.
std::filesystem::path alignment_path(const StitchRequest& request);

/// The tiles as the camera saw them.
TileAccess plain_access(const StitchRequest& request);

/// What to tell when tasks end so late that an interruption costs a lot; "" otherwise.
std::string late_tasks(const TaskCourse& course);

/// What is wrong with a published volume: names as in its manifest.
struct RepairWork {
  std::vector<std::string> damaged;
  std::vector<std::string> left;  ///< files that an earlier repair left half written
};

class ChannelRun {
 public:
  ChannelRun(Session& session, ChannelRequest request);
  ~ChannelRun();

  /// Throws Error for what would fail after the work: names that are taken, tiles that are missing.
  void check_targets() const;
  /// The same, and camera files that cannot be opened, when the channel is to be made from the beginning: for
  /// channels that have to wait for others.
  void check() const;

  /// Does what request.run asks for. Throws NotYet, Error, Cancelled; what is done stays done.
  void run();

  /// Makes damaged files of the published volume again from the inputs. Each is put in place when it is bit
  /// for bit what was written first. Throws Error, and what could be repaired before is repaired.
  void repair(const StoredManifest& manifest, const RepairWork& work);

 private:
  struct Volume;
  struct Repair;
  struct RepairTarget;

  RunPlan choices_now() const;
  std::string plan_now() const;
  bool is_published(const std::string& plan) const;
  void work(const std::string& plan);
  void remove_if_nothing_is_done() const noexcept;
  void finish_earlier_run();
  void take_lock(RunSharing sharing);
  void remove_abandoned() const;
  void open(const std::string& plan);
  void begin(const std::string& plan);
  void go_on(const std::string& stored, const std::string& plan);
  void settle_bad_frames() const;
  bool needed(std::string_view task);
  void expect_phases();
  void enter(Phase phase);
  void illumination();
  void alignment();
  void align_tiles(const std::filesystem::path& target, const std::filesystem::path& page);
  void use_alignment(const std::filesystem::path& file);
  std::string products_text() const;
  void take_products();

  Volume open_volume();
  TaskLayout layout_of(const Volume& volume);
  void sweep_and_levels();
  void write_at_once(Volume& volume);
  void keep_tiles();
  bool is_wanted(const std::string& task);
  void do_tasks(Volume& volume, const TaskLayout& layout);
  void make_levels(const TaskLayout& layout, const std::set<std::int64_t>& swept, TaskCommitter& committer);
  void require_done(const TaskLayout& layout, std::int32_t level) const;
  void check_parts(const TaskLayout& layout) const;
  void complete(Volume& volume, const TaskLayout& layout);
  void record_rest(const TaskLayout& layout);
  void finish(const std::string& plan);
  Configuration saved_for_repair() const;
  void publish();
  void save_beside();
  void check_repair(const StoredManifest& manifest) const;
  void repair_units(const RepairTarget& target, Repair& repair);
  std::vector<UnitAddress> damaged_units(const RepairTarget& target, const Repair& repair) const;
  std::vector<std::string> files_of(const RepairTarget& target, const UnitAddress& unit) const;
  void repair_unit(const RepairTarget& target, const UnitAddress& unit, Repair& repair);
  void replace_damaged(std::vector<std::string> made,
                       const std::function<std::string(const std::string&)>& name_of, Repair& repair) const;
  void repair_others(const VolumeLabels& labels, Repair& repair);
  void repair_stacks(Repair& repair);
  void check_rest(std::vector<std::string> rest, Repair& repair) const;
  void repair_rest(const Volume& volume, Repair& repair);
  std::unique_ptr<VolumeWriter> writer_of_published(const Selection& format,
                                                    const std::filesystem::path& place,
                                                    const VolumeSpec& spec) const;
  void say_published(const std::string& layout_text) const;

  Session& session_;
  ChannelRequest request_;
  RunFolder folder_;
  RunOutputs outputs_;
  std::unique_ptr<RunLock> lock_;
  std::unique_ptr<RunRecord> record_;
  std::vector<TilePath> tiles_;
  Configuration planned_;                      ///< options that decide the bits, as they were asked for
  std::vector<std::filesystem::path> inputs_;  ///< files that decide them
};

}  // namespace spim::cli
