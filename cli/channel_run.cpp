// The plan of a run, and what comes before the sweep. The sweep and the end are in channel_sweep.cpp.
#include "channel_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <system_error>

#include "aligning.hpp"
#include "bridged_frames.hpp"
#include "measured_flat.hpp"
#include "run_course.hpp"
#include "run_manifest.hpp"
#include "run_record.hpp"
#include "run_report.hpp"
#include "spim/host/alignment_file.hpp"
#include "spim/host/publication.hpp"
#include "spim/host/run_plan.hpp"
#include "tile_stacks.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// Options that do not decide what is in the output.
constexpr const char* kFreeOptions[] = {"channel",      "memory", "n-workers",  "n-writers",
                                        "on-bad-frame", "output", "plugin-dir", "tasks"};

fs::path flat_path(const StitchRequest& request) {
  return request.stitch.input + "-illuc.tiff";
}

/// The page about the alignment.
fs::path report_path(const StitchRequest& request) {
  return alignment_path(request).replace_extension(".html");
}

std::map<std::string, std::string> plugin_versions(Session& session, const Selections& selections,
                                                   const std::vector<ExtraOutput>& extras) {
  std::map<std::string, std::string> versions;
  const auto add = [&](Kind kind, const std::string& id) {
    if (id.empty()) return;
    const Item item = session.registry().find(kind, id);
    versions[fmt::format("{} {}", kind_word(kind), id)] =
        fmt::format("{} {}", item.plugin->name, item.plugin->version);
  };
  for (const Kind kind : kAllKinds) add(kind, selections.of(kind).id);
  for (const ExtraOutput& extra : extras) add(Kind::volume_writer, extra.writer.id);
  return versions;
}

LedgerEntry product_entry(const std::string& task, const std::vector<fs::path>& files,
                          const BadFrameLog& bad_frames) {
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(fs::absolute(file).lexically_normal().string());
  LedgerEntry entry;
  entry.task = task;
  entry.by = unique_token();
  entry.files = secure_files("/", std::move(names));
  entry.notes = bad_frame_notes(bad_frames);
  return entry;
}

/// Whether a failure is for want of space: what a plugin throws comes as text alone.
bool tells_of_full_disk(std::string message) {
  const auto lower = [](std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
  };
  message = lower(std::move(message));
  return std::ranges::any_of(std::array{ENOSPC, EDQUOT}, [&](int code) {
    return message.find(lower(std::generic_category().message(code))) != std::string::npos;
  });
}

void refuse_existing(const fs::path& file, const std::string& remedy) {
  std::error_code error;
  if (fs::exists(file, error)) throw Error(fmt::format("{} exists already; {}", file.string(), remedy));
}

}  // namespace

fs::path alignment_path(const StitchRequest& request) {
  const fs::path channel = fs::absolute(request.stitch.input).lexically_normal();
  return fs::path(request.output.path).parent_path() / (channel.filename().string() + "-align.json");
}

TileAccess plain_access(const StitchRequest& request) {
  TileAccess access = tile_access(request, TileKind::camera_files);
  access.plugins.destripe = {};
  access.stack.corrections = {};
  // Tiles are compared where they have something to show; the sweep lists the frames.
  if (access.stack.on_bad_frame == "skip") {
    access.stack.on_bad_frame = "previous";
    access.stack.list_bad_frames = false;
  }
  return access;
}

ChannelRun::ChannelRun(Session& session, ChannelRequest request)
    : session_(session),
      request_(std::move(request)),
      folder_(request_.stitching.output.path),
      outputs_(session, folder_,
               {request_.stitching.output.path, request_.stitching.plugins.get().writer, request_.extras}) {
  tiles_ = TileFolder(session_, plain_access(request_.stitching)).paths();
  if (tiles_.size() < 2) request_.align = false;
  // As the user asked for it: later the request also holds what the first phases made.
  const StitchRequest& asked = request_.stitching;
  planned_ = request_.saved;
  for (const char* name : kFreeOptions) planned_.options.erase(name);
  for (const TilePath& tile : tiles_) inputs_.push_back(tile.path);
  for (const fs::path& file : asked.stack.corrections.inputs()) inputs_.push_back(file);
  if (!asked.stitch.alignment.empty()) inputs_.emplace_back(asked.stitch.alignment);
}

ChannelRun::~ChannelRun() = default;

/// All of a plan but the inputs.
RunPlan ChannelRun::choices_now() const {
  return {planned_, plugin_versions(session_, request_.stitching.plugins.get(), request_.extras), {}};
}

std::string ChannelRun::plan_now() const {
  RunPlan plan = choices_now();
  for (const fs::path& input : inputs_) plan.inputs.push_back(look_at_input(input));
  return plan_text(plan);
}

/// True when `plan` made what stands there, as far as lengths tell. Throws Error when that was changed.
bool ChannelRun::is_published(const std::string& plan) const {
  const std::string& output = request_.stitching.output.path;
  const auto stored = published_plan(output);
  if (!stored || !plan_difference(*stored, plan, manifest_path(output).string()).empty()) return false;
  if (const std::string file = published_fault(output); !file.empty())
    throw Error(
        fmt::format("{}: is complete, but {} is missing or has another length since; spimstitch verify {} "
                    "--repair makes it again",
                    output, file, output));
  return true;
}

void ChannelRun::run() try {
  const RunOptions& run = request_.run;
  finish_earlier_run();
  const std::string plan = plan_now();
  session_.bad_frames()->clear();  // those of the channel before
  std::error_code error;
  const bool is_unfinished =
      folder_.exists() && (fs::exists(folder_.content(), error) || outputs_.is_publishing());
  if ((run.resume || run.shares()) && !is_unfinished && is_published(plan)) {
    if (!run.shares() && fs::exists(folder_.path(), error)) {  // the end may have come in the middle of this
      take_lock(RunSharing::alone);
      folder_.remove();
    }
    if (!session_.options().silent) fmt::print("{}: is complete\n", request_.stitching.output.path);
    return;
  }
  open(plan);
  record_ = std::make_unique<RunRecord>(session_, folder_, request_.stitching.stitch.input);
  try {
    work(plan);
    warn_of_bad_frames(session_);
  } catch (...) {
    record_.reset();
    if (!run.shares()) remove_if_nothing_is_done();
    throw;
  }
} catch (const Error& error) {
  if (!tells_of_full_disk(error.what())) throw;
  throw NotYet(fmt::format("{}; what is done is kept, {} goes on", error.what(),
                           request_.run.shares() ? "the same command" : "--resume"));
}

/// A run that has got nowhere leaves nothing behind.
void ChannelRun::remove_if_nothing_is_done() const noexcept try {
  if (folder_.done_tasks().empty()) folder_.remove();
} catch (const std::exception&) {
  // Why it got nowhere is what the user has to know; what is left costs space only.
}

void ChannelRun::work(const std::string& plan) {
  const RunOptions& run = request_.run;
  if (outputs_.is_publishing()) {  // everything is made
    if (run.includes(Phase::finish)) finish(plan);
    return;
  }
  expect_phases();
  if (run.includes(Phase::illumination)) illumination();
  if (run.includes(Phase::alignment)) alignment();
  if (run.includes(Phase::sweep) || run.includes(Phase::levels) || run.includes(Phase::finish))
    sweep_and_levels();
  if (run.includes(Phase::finish)) finish(plan);
}

/// Throws NotYet where another process may be done with it later.
void ChannelRun::take_lock(RunSharing sharing) try {
  lock_ = std::make_unique<RunLock>(folder_.path(), sharing);
} catch (const Error& error) {
  if (!request_.run.shares()) throw;
  throw NotYet(error.what());
}

/// For the estimate of the time that is left.
void ChannelRun::expect_phases() {
  const RunOptions& run = request_.run;
  CourseRequest course{request_.stitching, tiles_.size()};
  std::error_code error;
  for (const TilePath& tile : tiles_)
    if (fs::is_regular_file(tile.path, error))
      course.camera_bytes += static_cast<double>(fs::file_size(tile.path, error));
  course.illumination =
      run.includes(Phase::illumination) && request_.measure_flat && !folder_.done("illumination");
  course.alignment = run.includes(Phase::alignment) && request_.align && !folder_.done("alignment");
  course.sweep = run.includes(Phase::sweep);
  course.finish = run.includes(Phase::finish);
  course.channels_after = request_.channels_after;
  if (const auto layout = folder_.document("layout.json")) {
    const TaskLayout tasks(parse_task_shape(*layout, (folder_.path() / "layout.json").string()));
    const std::int64_t all = tasks.sweep_tasks();
    const auto [first, end] =
        run.shares() && course.sweep ? run.share_of(all) : std::pair{std::int64_t{0}, all};
    std::int64_t wanted = 0;
    for (std::int64_t i = first; i < end; ++i) wanted += !folder_.done(task_name({0, i}));
    course.sweep_share = static_cast<double>(wanted) / static_cast<double>(std::max<std::int64_t>(all, 1));
  }
  session_.expect(course_of(course, session_.executor().workers()));
}

void ChannelRun::enter(Phase phase) {
  record_->enter(phase_word(phase));
  session_.enter(std::string(phase_word(phase)));
}

/// Takes the run folder, so that nobody else writes to the same output.
void ChannelRun::open(const std::string& plan) {
  const bool shares = request_.run.shares();
  // Nobody may write into a volume that is being given its name.
  const bool alone = !shares || request_.run.phase == phase_word(Phase::finish);
  if (!folder_.exists()) check_targets();
  folder_.create();
  take_lock(alone ? RunSharing::alone : RunSharing::together);
  if (!lock_->holds())
    session_.warn(
        fmt::format("{}: its file system knows no locks, so nothing keeps a second run from the "
                    "same output; start none",
                    folder_.path().string()));
  if (alone) remove_abandoned();
  if (const auto stored = folder_.document("plan.json"); stored)
    go_on(*stored, plan);
  else
    begin(plan);
  settle_bad_frames();
}

/// Frames that cannot be read are bridged in one way from the first of them on. What was done before it does
/// not depend on the way.
void ChannelRun::settle_bad_frames() const {
  constexpr const char* kName = "on-bad-frame.txt";
  const std::string& now = request_.stitching.stack.on_bad_frame;
  const auto stored = folder_.document(kName);
  if (now == "fail" && !stored) return;
  const std::string then = stored ? *stored : folder_.settle(kName, now);
  if (then != now)
    throw Error(
        fmt::format("{}: was begun with --on-bad-frame {}, but now it is {}; give the same, or "
                    "--overwrite without --resume to begin again",
                    folder_.path().string(), then, now));
}

/// What processes that were killed left half written.
void ChannelRun::remove_abandoned() const {
  const StitchRequest& request = request_.stitching;
  const fs::path output = request.output.path;
  folder_.remove_unfinished();
  for (const fs::path& target :
       {output, manifest_path(output), configuration_path(output), report_page_path(output),
        flat_path(request), alignment_path(request), report_path(request)})
    Publication::remove_abandoned(target);
  if (!request_.keep_stacks) return;
  for (const TilePath& tile : tiles_) Publication::remove_abandoned(stack_path(request, tile.path));
}

void ChannelRun::begin(const std::string& plan) {
  // Another process may have begun in the same moment.
  const std::string stored = folder_.settle("plan.json", plan);
  if (stored != plan) go_on(stored, plan);
}

/// A run of this output was begun before: with the same plan it goes on, with another it may begin anew.
void ChannelRun::go_on(const std::string& stored, const std::string& plan) {
  const RunOptions& run = request_.run;
  const std::string name = folder_.path().string();
  if (run.resume || run.shares()) {
    const std::string difference = plan_difference(stored, plan, name + "/plan.json");
    if (difference.empty()) return;
    throw Error(fmt::format("{}: is of a run that was begun differently: {}; {}", name, difference,
                            run.shares()
                                ? "give the same options, or remove it to begin again"
                                : "give the same options, or --overwrite without --resume to begin again"));
  }
  const std::vector<std::string> done = folder_.done_tasks();
  const bool has_voxels = std::ranges::any_of(
      done, [](const std::string& task) { return task.starts_with("sweep") || task.starts_with("levels"); });
  if (has_voxels && !request_.stitching.common.overwrite)
    throw Error(fmt::format(
        "{}: holds an unfinished run; go on with --resume, or give --overwrite to begin again", name));
  check_targets();
  folder_.clear();
  folder_.settle("plan.json", plan);
}

void ChannelRun::check() const {
  if (folder_.exists() || request_.run.resume || request_.run.shares()) return;
  check_targets();
  TileFolder tiles(session_, plain_access(request_.stitching));
  std::vector<Index3> shapes;
  for (std::size_t i = 0; i < tiles_.size(); ++i)
    shapes.push_back(tiles.open(i, StackChecks::none).volume->shape());
  check_shapes(tiles_, shapes, request_.stitching.stack);
}

/// Refuses before the work what would fail after it.
void ChannelRun::check_targets() const {
  const StitchRequest& request = request_.stitching;
  const TileFolder tiles(session_, plain_access(request));
  check_stitching(request, tiles);
  outputs_.check_targets(stitching_inputs(request, tiles));
  if (folder_.exists()) return;  // what stands there may be of that run
  if (request_.keep_stacks && !request.common.overwrite)
    for (const TilePath& tile : tiles_)
      refuse_existing(stack_path(request, tile.path), "remove it, or give --overwrite to make it again");
  if (request_.measure_flat && !request.common.overwrite)
    refuse_existing(flat_path(request),
                    "use it with --flat (ILLUM_CORR), or give --overwrite to measure it again");
  if (!request_.align) return;
  check_alignment_target(alignment_path(request), request.common);
  check_report_target(report_path(request), request.common);
}

/// True when a product of an earlier phase has to be made here; false when it is there already.
bool ChannelRun::needed(std::string_view task) {
  const auto entry = folder_.entry(task);
  if (entry) {
    const std::string damaged = folder_.damaged_file(*entry, session_.executor());
    if (damaged.empty()) return false;
    session_.warn(fmt::format("{}: is missing or was changed, so it is made again", damaged));
    folder_.forget(task);
  }
  return true;
}

void ChannelRun::illumination() {
  if (!request_.measure_flat || !needed("illumination")) return;
  enter(Phase::illumination);
  StitchRequest request = request_.stitching;
  request.common.overwrite = true;  // what stands there now is of this run: check_targets()
  const fs::path path = flat_path(request);
  measure_flat(session_, request, tiles_, path);
  folder_.record(product_entry("illumination", {path}, *session_.bad_frames()));
}

void ChannelRun::alignment() {
  if (!request_.align || !needed("alignment")) return;
  enter(Phase::alignment);
  const fs::path target = alignment_path(request_.stitching), page = report_path(request_.stitching);
  align_tiles(target, page);
  folder_.record(product_entry("alignment", {target, page}, *session_.bad_frames()));
}

/// Aligns the tiles as the camera saw them, without destriping.
void ChannelRun::align_tiles(const fs::path& target, const fs::path& page) {
  const StitchRequest& request = request_.stitching;
  TileFolder folder(session_, plain_access(request));
  AlignRequest wanted;
  wanted.align_xz = request.stitch.align_xz;
  wanted.placement = {request.stitch.negative_y, request.stitch.z_offset, folder.full_voxel_um().z};
  wanted.stack = request.stack;
  wanted.second_aligner = !request.plugins.aligner_given();
  const AlignmentResult result = align(session_, folder, request.plugins.get(), wanted);
  Configuration saved = request_.saved;
  if (request_.measure_flat) saved.options["flat"] = flat_path(request).string();
  save_alignment(result, saved, target);
  save_report(folder, result, {page, request.stitch.input, saved});
  if (request.common.silent) return;
  fmt::print("{}\n{}\n", target.string(), page.string());
  print_alignment(result);
}

/// Puts tiles where `file` says, unless it says itself that it should not be used.
void ChannelRun::use_alignment(const fs::path& file) {
  StitchRequest& request = request_.stitching;
  if (AlignmentFile(file).verdict() == verdict_text(Verdict::do_not_use)) {
    session_.warn(
        fmt::format("{}: the overlaps do not tell where the tiles are, so they are placed where the stage "
                    "says; --alignment {} uses the file all the same",
                    request.stitch.input, file.string()));
    return;
  }
  request.stitch.alignment = file.string();
  request_.saved.options["alignment"] = file.string();
}

/// What the phases before the sweep made, and the sweep goes on from.
std::string ChannelRun::products_text() const {
  std::string text;
  const auto add = [&](const fs::path& file) {
    const FileSum sum = file_sum(file);
    text += fmt::format("{} {} {}\n", sum.bytes, sum.crc, fs::absolute(file).lexically_normal().string());
  };
  if (request_.measure_flat) add(request_.stitching.stack.corrections.flat);
  if (const std::string& file = request_.stitching.stitch.alignment; !file.empty()) add(file);
  return text;
}

/// Lets the request use what the earlier phases made.
void ChannelRun::take_products() {
  StitchRequest& request = request_.stitching;
  const auto require = [&](const char* task) {
    if (!folder_.entry(task))  // a damaged one could not be entered into the manifest either
      throw NotYet(
          fmt::format("{}: the phase {} is not complete yet; do it first", folder_.path().string(), task));
  };
  if (request_.measure_flat) {
    require("illumination");
    request.stack.corrections.flat = flat_path(request).string();
    request_.saved.options["flat"] = request.stack.corrections.flat;
  }
  if (request_.align) {
    require("alignment");
    use_alignment(alignment_path(request));
  } else if (const std::string& file = request_.alignment_of_first; !file.empty()) {
    std::error_code error;
    if (!fs::exists(file, error))
      throw NotYet(fmt::format("{}: the alignment of the first channel is not there yet; do it first", file));
    use_alignment(file);
  }
  // Whoever comes later must go on from the same.
  const std::string products = products_text();
  if (folder_.settle("products.txt", products) != products)
    throw Error(
        fmt::format("{}: the illumination or the alignment was changed since the sweep began; restore them, "
                    "or begin again with --overwrite",
                    folder_.path().string()));
}

}  // namespace spim::cli
