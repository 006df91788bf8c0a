#include "scan_options.hpp"

#include <fmt/format.h>

#include "frame_gaps.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/metered_frames.hpp"

namespace spim::cli {

void add_scan_options(CommandLine& line, ScanOptions& options) {
  line.group("Scan");
  line.number({"x-step-size", "UM", "distance of the stage between two frames, micrometres"},
              options.x_step_um, {kAboveZero, 1e6});
  line.number({"y-voxel-size", "UM", "size of a camera pixel in the sample, micrometres"}, options.y_voxel_um,
              {kAboveZero, 1e6});
  line.number({"tilt", "DEGREES", "angle between the light sheet and the stage, above 0 and below 90"},
              options.tilt_degrees, {kAboveZero, 90});
  line.flag({"negative-x", "", "the stage moves towards smaller x during a scan"}, options.negative_x);
}

void add_stack_options(CommandLine& line, StackOptions& options) {
  line.group("Camera files");
  line.integer(
      {"rotate-90,r", "N",
       "quarter turns of each frame, counter-clockwise as numpy.rot90; oblique SPIM microscopes of the "
       "Chung lab need 3"},
      options.rotate_90, {0, 3});
  line.flag(
      {"flip-ud", "",
       "reverse the rows of each frame after rotating; oblique SPIM microscopes of the Chung lab need it"},
      options.flip_ud);
  line.flag({"allow-truncated", "", "use the whole frames of camera files that are cut short"},
            options.allow_truncated);
}

void add_bad_frame_option(CommandLine& line, StackOptions& options) {
  options.on_bad_frame = "fail";
  line.choice(
      {"on-bad-frame", "HOW",
       "what to do about a frame that cannot be read, or that is missing at the end of a file: fail "
       "names it and stops; previous takes the nearest readable frame before it (behind it when there is "
       "none); skip takes zeros. What was bridged is listed; more than half of a file never is"},
      options.on_bad_frame, {"fail", "skip", "previous"});
}

void add_range_options(CommandLine& line, StackOptions& options) {
  line.integer({"start", "N", "first frame to use"}, options.start, {0, 1e15});
  line.integer({"stop", "N", "one past the last frame to use; 0 means to the end"}, options.stop, {0, 1e15});
}

void refuse_missing_options(CommandLine& line) {
  line.refused(
      "jp2k",
      "is not available here: stack2oblique takes a stack of JPEG 2000 files as its input, and dcimg2jp2 "
      "writes one");
  line.refused("psnr", "is not available here: JPEG 2000 files are written by dcimg2jp2");
  line.refused("chunks", "has no meaning here: frames are not corrected in batches");
}

namespace {

OnBadFrame policy_of(const std::string& word) {
  if (word == "skip") return OnBadFrame::skip;
  return word == "previous" ? OnBadFrame::previous : OnBadFrame::fail;
}

/// Says of which file it is when the wanted frames are not in it.
std::unique_ptr<FrameSource> oriented_stack(const std::filesystem::path& path,
                                            const std::shared_ptr<FrameReader>& reader,
                                            const StackOptions& options) try {
  return oriented_frames(reader, {static_cast<int>(options.rotate_90), options.flip_ud},
                         {options.start, options.stop});
} catch (const UsageError& error) {
  throw UsageError(fmt::format("{}: {}", path.string(), error.what()));
}

}  // namespace

StackOpener::StackOpener(Session& session, const Selections& plugins, const StackOptions& options)
    : session_(&session),
      options_(options),
      reader_(plugins.reader),
      corrections_(session, plugins, options.corrections) {}

std::shared_ptr<FrameReader> StackOpener::open_stored(const std::filesystem::path& path,
                                                      StackChecks checks) const {
  std::shared_ptr<FrameReader> reader = open_frames(session_->registry(), session_->host(), reader_, path);
  const StackInfo info = reader->info();
  const OnBadFrame policy = policy_of(options_.on_bad_frame);
  if (info.frames < 1)
    throw Error(fmt::format("{}: holds no whole frame of {} declared; copy the file again", path.string(),
                            info.declared));
  const bool bridges = policy != OnBadFrame::fail;
  const bool only_whole_frames = options_.stop > 0 && options_.stop <= info.frames;
  if (info.declared > info.frames && !only_whole_frames) {
    const std::string what =
        fmt::format("{} is cut short: {} of {} frames are whole", path.string(), info.frames, info.declared);
    if (!options_.allow_truncated && !bridges)
      throw Error(
          fmt::format("{}; copy the file again, or use --allow-truncated to go on without the rest{}", what,
                      options_.on_bad_frame.empty() ? "" : ", or --on-bad-frame previous to bridge it"));
    if (checks == StackChecks::report && (options_.allow_truncated || !bridges)) session_->warn(what);
  }
  if (options_.on_bad_frame.empty()) return reader;
  const bool ends_early = options_.allow_truncated || only_whole_frames;
  const std::string name = std::filesystem::absolute(path).lexically_normal().string();
  return std::make_shared<FrameBridge>(std::move(reader),
                                       BridgeSettings{name, policy, ends_early ? info.frames : info.declared},
                                       options_.list_bad_frames ? session_->bad_frames() : nullptr);
}

std::unique_ptr<FrameSource> StackOpener::open(const std::filesystem::path& path, StackChecks checks) {
  return frames_of(path, open_stored(path, checks), checks);
}

std::unique_ptr<FrameSource> StackOpener::frames_of(const std::filesystem::path& path,
                                                    const std::shared_ptr<FrameReader>& reader,
                                                    StackChecks checks) {
  if (checks == StackChecks::report) report_gaps(path, *reader);
  StageMeter& meter = session_->stages();
  auto frames =
      metered_frames(oriented_stack(path, counted_reader(reader, meter), options_), meter, Stage::read);
  const StackShape shape = frames->shape();
  if (!corrections_.none())
    frames =
        metered_frames(corrected_frames(std::move(frames), corrections_.for_shape(shape.rows, shape.columns),
                                        corrections_.tally()),
                       meter, Stage::correct);
  auto bridge = std::dynamic_pointer_cast<FrameBridge>(reader);
  if (!bridge || policy_of(options_.on_bad_frame) != OnBadFrame::skip) return frames;
  return zeros_for_skipped(std::move(frames), std::move(bridge), options_.start);
}

void StackOpener::report_gaps(const std::filesystem::path& path, FrameReader& reader) const {
  for (const FrameGap& gap : frame_gaps(reader)) {
    session_->notes().add({path.string(), gap.frame, gap.dropped});
    session_->warn(fmt::format(
        "{}: the camera dropped {} frame{} before frame {}; what follows is displaced by as many steps",
        path.string(), gap.dropped, gap.dropped == 1 ? "" : "s", gap.frame));
  }
}

}  // namespace spim::cli
