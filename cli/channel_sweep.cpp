// The sweep, the upper levels and the end of a run. What comes before is in channel_run.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "bridged_frames.hpp"
#include "channel_run.hpp"
#include "channel_volume.hpp"
#include "data_size.hpp"
#include "extra_outputs.hpp"
#include "run_manifest.hpp"
#include "run_record.hpp"
#include "run_report.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/publication.hpp"
#include "spim/host/run_plan.hpp"
#include "spim/host/task_committer.hpp"
#include "spim/host/task_sweep.hpp"
#include "tile_stacks.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// Document of the run folder: the configuration as it was used.
constexpr const char* kSaved = "saved.json";

}  // namespace

ChannelRun::Volume ChannelRun::open_volume() {
  Volume volume;
  const StitchRequest& request = request_.stitching;
  volume.folder = std::make_unique<TileFolder>(session_, tile_access(request, TileKind::camera_files));
  volume.stitched = open_stitched(session_, request, *volume.folder);
  volume.spec = volume_spec(*volume.stitched.volume, request.output, volume.stitched.labels);
  volume.unit = outputs_.choose(volume.spec);
  if (record_) {  // a repair keeps none
    record_->set_volume(volume.spec, volume.stitched.tiles);
    record_->watch(volume.folder->corrections().tally());
  }
  if (volume.unit == Index3{} && request_.run.shares())
    throw UsageError(fmt::format(
        "the writer {} cannot write a volume in parts, so --phase has no meaning; use --writer zarr, and "
        "convert the volume afterwards",
        request.plugins.get().writer.id));
  return volume;
}

std::string late_tasks(const TaskCourse& course) {
  // Tasks that come one after the other end at their share of the sweep; the first of few ends late, too.
  constexpr double kLate = 0.5, kShares = 2;
  if (course.first_done < kLate || course.first_done * static_cast<double>(course.tasks) <= kShares)
    return "";
  return fmt::format(
      "the first task is done behind {:.0f} % of the sweep, since files reach over several bands; until then "
      "an "
      "interruption loses everything; more --memory makes fewer bands",
      100 * course.first_done);
}

/// The tasks: cut by the first process that comes here, and then the same for all.
TaskLayout ChannelRun::layout_of(const Volume& volume) {
  constexpr const char* kName = "layout.json";
  const VolumeSpec& spec = volume.spec;
  auto text = folder_.document(kName);
  if (!text) {
    const SweepPlan plan =
        plan_sweep(*volume.stitched.volume, spec, session_.executor(),
                   {session_.options().memory(), outputs_.memory_bytes(spec), nullptr, volume.unit});
    text = folder_.settle(kName, task_shape_text(cut_into_tasks(*volume.stitched.volume, spec, volume.unit,
                                                                request_.run.tasks, plan)));
  }
  const std::string source = (folder_.path() / kName).string();
  TaskShape shape = parse_task_shape(*text, source);
  if (shape.spec.shape != spec.shape || shape.spec.chunk != spec.chunk || shape.unit != volume.unit ||
      shape.spec.levels != spec.levels || shape.spec.type != spec.type)
    throw Error(
        fmt::format("{}: is of a volume of {} voxels, but this one has {}; begin again with --overwrite",
                    source, format_triple(shape.spec.shape), format_triple(spec.shape)));
  return TaskLayout(std::move(shape));
}

void ChannelRun::sweep_and_levels() {
  take_products();
  Volume volume = open_volume();
  if (volume.unit == Index3{}) {
    keep_tiles();
    return write_at_once(volume);
  }
  const TaskLayout layout = layout_of(volume);
  const RunOptions& run = request_.run;
  if (run.includes(Phase::sweep) || run.includes(Phase::levels)) do_tasks(volume, layout);
  if (run.includes(Phase::finish)) complete(volume, layout);
}

/// A format that must be written in one go.
void ChannelRun::write_at_once(Volume& volume) {
  enter(Phase::sweep);
  const StitchRequest& request = request_.stitching;
  write_volume(session_, *volume.stitched.volume,
               {request.output, request.plugins.get(), stitching_inputs(request, *volume.folder),
                volume.stitched.labels, request_.saved});
  volume.folder->corrections().report();
  const fs::path output = request.output.path;
  LedgerEntry entry;
  entry.task = "finish";
  entry.by = unique_token();
  entry.files = secure_files(output, files_below(output));
  entry.notes = bad_frame_notes(*session_.bad_frames());
  folder_.record(entry);
}

bool ChannelRun::is_wanted(const std::string& task) {
  const auto entry = folder_.entry(task);
  if (!entry) {
    if (folder_.done(task))
      session_.warn(fmt::format("{}: the ledger entry of {} is damaged, so the task is done again",
                                folder_.path().string(), task));
    return true;
  }
  // Parts trust each other; whoever resumes does not know how the run before ended, and whoever finishes has
  // to know.
  const RunOptions& run = request_.run;
  const bool reads = !run.shares() || (run.includes(Phase::finish) && run.check_parts == "checksums");
  const std::string damaged =
      reads ? folder_.damaged_file(*entry, session_.executor()) : folder_.missing_file(*entry);
  if (damaged.empty()) return false;
  session_.warn(fmt::format("{}: {} is missing or damaged, so the task {} is done again",
                            folder_.content().string(), damaged, task));
  folder_.forget(task);
  return true;
}

void ChannelRun::do_tasks(Volume& volume, const TaskLayout& layout) {
  const RunOptions& run = request_.run;
  const StitchRequest& request = request_.stitching;
  TaskCommitter committer(
      folder_, volume.spec, [this](const fs::path&) { return outputs_.create_writer(); }, &session_.stages());
  committer.note_with([this] { return bad_frame_notes(*session_.bad_frames()); });
  SweepShare share{{}, run.shares() ? Leftovers::leave : Leftovers::make};
  if (run.includes(Phase::sweep)) {
    enter(Phase::sweep);
    const auto [first, end] =
        run.shares() ? run.share_of(layout.sweep_tasks()) : std::pair{std::int64_t{0}, layout.sweep_tasks()};
    for (std::int64_t i = first; i < end; ++i)
      if (is_wanted(task_name({0, i}))) share.tasks.insert(i);
    const SweepSettings settings{session_.options().memory(), outputs_.memory_bytes(volume.spec),
                                 &session_.stages(), volume.unit};
    VolumeSource& source = *volume.stitched.volume;
    if (!share.tasks.empty()) {
      report_sweep_plan(session_, request.output.path, volume.spec,
                        plan_sweep(source, volume.spec, session_.executor(), settings));
      const TaskCourse course = rehearse_tasks(source, layout, share, session_.executor(), settings);
      outputs_.share_memory(course.most_open);
      if (const std::string late = late_tasks(course); !late.empty() && !run.shares())
        session_.warn(fmt::format("{}: {}", request.output.path, late));
    }
    sweep_tasks(source, layout, share, committer, session_.executor(), settings, session_.progress());
    volume.folder->corrections().report();
  }
  if (run.includes(Phase::levels)) make_levels(layout, share.tasks, committer);
  committer.wait();
}

/// Each level is made from the one below it, which must be complete.
void ChannelRun::make_levels(const TaskLayout& layout, const std::set<std::int64_t>& swept,
                             TaskCommitter& committer) {
  const RunOptions& run = request_.run;
  std::vector<TaskId> tasks = layout.tasks();
  std::erase_if(tasks, [](TaskId task) { return task.level == 0; });
  if (tasks.empty()) return;
  enter(Phase::levels);
  const auto [first, end] = run.shares()
                                ? run.share_of(static_cast<std::int64_t>(tasks.size()))
                                : std::pair{std::int64_t{0}, static_cast<std::int64_t>(tasks.size())};
  for (std::int64_t i = first; i < end; ++i) {
    const TaskId task = tasks[static_cast<std::size_t>(i)];
    if (run.shares()) {
      committer.wait();
      require_done(layout, task.level);
    }
    // A task of which the sweep has made something is done in any case: its writer is open.
    if (!is_wanted(task_name(task)) && swept.empty()) continue;
    make_level(layout, task, swept, committer.writer(task), session_.executor(), session_.progress());
    committer.finished(task);
  }
}

/// Throws NotYet unless all tasks of the levels below `level` are done.
void ChannelRun::require_done(const TaskLayout& layout, std::int32_t level) const {
  std::int64_t missing = 0;
  for (const TaskId task : layout.tasks())
    if (task.level < level && !folder_.done(task_name(task))) ++missing;
  if (missing > 0)
    throw NotYet(fmt::format("{}: {} task{} of earlier phases {} not done yet; see spimstitch status",
                             folder_.path().string(), missing, missing == 1 ? "" : "s",
                             missing == 1 ? "is" : "are"));
}

/// Throws NotYet unless everything is as it was written. A whole run has looked at what it did not write
/// itself.
void ChannelRun::check_parts(const TaskLayout& layout) const {
  const bool reads = request_.run.shares() && request_.run.check_parts == "checksums";
  std::vector<LedgerEntry> entries;
  std::int64_t bytes = 0;
  const auto refuse = [&](const std::string& task, const std::string& what) {
    folder_.forget(task);
    throw NotYet(fmt::format("{}: {} of the task {} is missing or damaged; do its phase again",
                             folder_.path().string(), what, task));
  };
  for (const TaskId task : layout.tasks()) {
    auto entry = folder_.entry(task_name(task));
    if (!entry) refuse(task_name(task), "the ledger entry");
    bytes += entry->bytes();
    entries.push_back(*std::move(entry));
  }
  if (reads) session_.progress().begin("checking what was written", bytes);
  for (const LedgerEntry& entry : entries) {
    session_.executor().cancel().check();
    const std::string fault =
        reads ? folder_.damaged_file(entry, session_.executor()) : folder_.missing_file(entry);
    if (!fault.empty()) refuse(entry.task, fault);
    if (reads) session_.progress().advance(entry.bytes());
  }
  if (reads) session_.progress().end();
}

/// Metadata and indices, behind which the output is complete.
void ChannelRun::complete(Volume& volume, const TaskLayout& layout) {
  enter(Phase::finish);
  require_done(layout, layout.shape().spec.levels);
  check_parts(layout);
  {
    const auto writer = outputs_.create_writer();
    const std::string token = unique_token();
    writer->join(volume.spec, {"finish", token.c_str()});
    writer->finish();
  }
  record_rest(layout);
  outputs_.convert_others(volume.stitched.labels,
                          [this](const std::string& task) { return is_wanted(task); });
  keep_tiles();
}

/// The volumes of single tiles, when they are wanted.
void ChannelRun::keep_tiles() {
  if (!request_.keep_stacks) return;
  keep_stacks(session_, {request_.stitching, folder_, request_.saved,
                         [this](const std::string& task) { return is_wanted(task); }});
}

/// What no task named: metadata and indices.
void ChannelRun::record_rest(const TaskLayout& layout) {
  std::set<std::string> named;
  for (const TaskId task : layout.tasks())
    if (const auto entry = folder_.entry(task_name(task)))
      for (const StoredFile& file : entry->files) named.insert(file.path);
  std::vector<std::string> rest = outputs_.files();
  std::erase_if(rest, [&](const std::string& file) { return named.contains(file); });
  LedgerEntry entry;
  entry.task = "finish";
  entry.by = unique_token();
  entry.files = secure_files(folder_.content(), std::move(rest));
  folder_.record(entry);
}

void ChannelRun::finish(const std::string& plan) {
  session_.executor().cancel().check();
  const std::string& path = request_.stitching.output.path;
  add_bad_frames_of(folder_, *session_.bad_frames());
  refuse_many(*session_.bad_frames());
  replace_text_durably(folder_.path() / kBadFrames, session_.bad_frames()->text() + "\n");
  const auto layout = folder_.document("layout.json");
  if (layout) {
    if (const std::string changed = plan_difference(plan, plan_now(), path); !changed.empty())
      throw Error(
          fmt::format("{}: is not published, because something changed while it was made: {}; restore it and "
                      "give --resume, or begin again with --overwrite",
                      path, changed));
  }
  // Whoever goes on with the publication has not looked at the products.
  if (!outputs_.is_publishing() || !folder_.document(kSaved))
    replace_text_durably(folder_.path() / kSaved, configuration_text(saved_for_repair()));
  if (layout) publish();
  record_.reset();
  save_beside();
  if (layout) say_published(*layout);
  outputs_.forget_publishing();
  folder_.remove();
}

/// The configuration as it was used; a repair may be called from another folder.
Configuration ChannelRun::saved_for_repair() const {
  Configuration saved = request_.saved;
  const StitchRequest& request = request_.stitching;
  const auto keep = [&](const char* option, const std::string& file) {
    if (!file.empty() && file != "none")
      saved.options[option] = fs::absolute(file).lexically_normal().string();
  };
  keep("channel", request.stitch.input);
  keep("flat", request.stack.corrections.flat);
  keep("alignment", request.stitch.alignment);
  if (const auto also = saved.options.find("also"); also != saved.options.end())
    also->second = absolute_places(also->second);
  return saved;
}

void ChannelRun::publish() {
  const TileFolder tiles(session_, plain_access(request_.stitching));
  outputs_.publish(stitching_inputs(request_.stitching, tiles));
}

/// Everything that stands beside the volume. What it says comes from the run folder alone, so that another
/// process can do it again.
void ChannelRun::save_beside() {
  const fs::path path = request_.stitching.output.path;
  const auto needed = [&](const char* name) {
    if (auto text = folder_.document(name)) return *std::move(text);
    throw Error(fmt::format("{}: lacks {}, so nothing can be said about how {} was made; remove the folder",
                            folder_.path().string(), name, path.string()));
  };
  const std::string saved = needed(kSaved);
  save_manifest({needed("plan.json"), folder_.document("layout.json").value_or("null"), saved,
                 folder_.document("products.txt").value_or(""), folder_, outputs_},
                path);
  const Configuration made = parse_configuration(saved, (folder_.path() / kSaved).string());
  outputs_.save_configurations(made);
  StitchRequest request = request_.stitching;
  if (const auto flat = made.options.find("flat"); flat != made.options.end())
    request.stack.corrections.flat = flat->second;
  save_run_report(session_, request, path);
}

/// An earlier run may have ended when the volume had its name, and before all was beside it.
void ChannelRun::finish_earlier_run() {
  if (!outputs_.is_published()) return;
  take_lock(RunSharing::alone);
  save_beside();
  outputs_.forget_publishing();
  folder_.remove();
  lock_.reset();
}

void ChannelRun::say_published(const std::string& layout_text) const {
  if (session_.options().silent) return;
  const VolumeSpec spec = parse_task_shape(layout_text, "layout.json").spec;
  std::int64_t files = 0, bytes = 0;
  for (const std::string& task : folder_.done_tasks()) {
    const auto entry = folder_.entry(task);
    if (!entry || task == "illumination" || task == "alignment") continue;
    files += static_cast<std::int64_t>(entry->files.size());
    bytes += entry->bytes();
  }
  fmt::print("{}: {} voxels (x,y,z), {} level{}\n", request_.stitching.output.path, format_triple(spec.shape),
             spec.levels, spec.levels == 1 ? "" : "s");
  for (const ExtraOutput& extra : outputs_.extras())
    fmt::print("  and {}: {}\n", extra.writer.id, extra.path);
  fmt::print("  {} in {} files\n", format_data(bytes), files);
}

}  // namespace spim::cli
