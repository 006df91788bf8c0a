/// spimstitch-pipeline: the camera files of a channel become one volume in one pass.

#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "channel_run.hpp"
#include "command.hpp"
#include "extra_outputs.hpp"
#include "run_forecast.hpp"
#include "run_options.hpp"
#include "saved_run.hpp"
#include "scan_metadata.hpp"
#include "stitching.hpp"

namespace spim::cli {

namespace {

/// The variables of the original script.
constexpr std::pair<const char*, const char*> kEnvironment[] = {
    {"x-step-size", "X_STEP_SIZE"},
    {"y-voxel-size", "Y_VOXEL_SIZE"},
    {"z-offset", "Z_OFFSET"},
    {"alignment", "ALIGN_FILE"},
    {"align-xz", "ALIGN_XZ"},
    {"negative-y", "NEGATIVE_Y"},
    {"ngff", "NGFF"},
    {"n-workers", "WORKERS"},
    {"use-wavelets", "USE_WAVELETS"},
    {"illum-corr", "ILLUM_CORR"},
    {"background", "BACKGROUND"},
    {"psnr", "PSNR"},
    {"keep-stacks", "DONT_CLEANUP_INTERMEDIATES"},
};

/// What the pipeline adds to stitching.
struct Pipeline {
  StitchRequest stitching;
  RunOptions run;
  ExtraOptions extras;
  bool use_wavelets = false;
  bool align = true;
};

void declare(CommandLine& line, Pipeline& pipeline) {
  StitchRequest& request = pipeline.stitching;
  line.group("Input");
  line.text({"channel", "FOLDER", "the same as CHANNEL"}, request.stitch.input);
  line.group("Output");
  line.text(
      {"output,o", "PATH",
       "volume to write; without it CHANNEL_stitched.ngff, or CHANNEL_stitched when it is not OME-Zarr"},
      request.output.path);
  add_output_options(line, request.output, request.common);
  request.plugins.default_writer("zarr");
  request.plugins.add_writer(line);
  add_extra_outputs(line, pipeline.extras);
  add_scan_options(line, request.scan);
  add_stack_options(line, request.stack);
  add_bad_frame_option(line, request.stack);
  request.plugins.add_reader(line);
  add_range_options(line, request.stack);
  add_stitch_options(line, request.stitch);
  line.group("Alignment");
  line.flag({"align", "",
             "find out where the tiles really are, write it to CHANNEL-align.json and a report about it to "
             "CHANNEL-align.html beside the output, and use it; "
             "this is so unless --align=false or --alignment is given"},
            pipeline.align);
  request.plugins.add_aligner(line);
  add_correction_options(line, request.stack.corrections, request.plugins);
  line.flag({"use-wavelets", "", "destripe with wavelets (the same as --destripe wavelet)"},
            pipeline.use_wavelets);
  add_run_options(line, pipeline.run);
  add_work_options(line, request.common);
  request.plugins.add_general(line);
  add_general_options(line, request.common);

  for (const auto& [option, variable] : kEnvironment) line.environment(option, variable);
}

/// What the original pipeline takes when the user does not say otherwise: destriping by the light sheet, or
/// by wavelets with these bandwidths.
void choose_destripe(StitchRequest& request, const Pipeline& pipeline, const CommandLine& line) {
  if (pipeline.use_wavelets)
    request.plugins.want_destripe("wavelet", "--use-wavelets (USE_WAVELETS)", line.layer("use-wavelets"));
  request.plugins.default_destripe({"lightsheet", {}});
  if (request.plugins.destripe_id() == "wavelet")
    request.plugins.default_destripe(
        {"wavelet", {{"sigma1", "128"}, {"sigma2", "512"}, {"wavelet", "db5"}, {"crossover", "10"}}});
}

/// Says what is not as in the original pipeline.
void give_notice(const StitchRequest& request, bool measures_flat) {
  if (request.common.silent) return;
  std::string missing;
  const auto add = [&](std::string_view what) {
    missing += (missing.empty() ? "" : ", ") + std::string(what);
  };
  if (!measures_flat && !request.stack.corrections.has_flat()) add("illumination is not corrected");
  if (request.plugins.get().destripe.id.empty()) add("frames are not destriped");
  if (!missing.empty()) fmt::print(stderr, "note: {}\n", missing);
}

/// Everything that is the same for all channels of a call.
struct Choices {
  bool align = false;
  bool measure_flat = false;
  std::optional<ScanMetadata> metadata;
};

/// Of options that exclude each other that of the higher layer counts.
void settle_alignment(const CommandLine& line, Pipeline& pipeline) {
  StitchOptions& stitch = pipeline.stitching.stitch;
  const Layer align = line.layer("align");
  if (pipeline.align && align > line.layer("alignment")) stitch.alignment.clear();
  if (pipeline.align || !stitch.alignment.empty() || !stitch.align_xz) return;
  if (line.layer("align-xz") >= align)
    throw UsageError("--align-xz (ALIGN_XZ) and --align=false contradict each other; give one of them");
  stitch.align_xz = false;
}

/// The completed options, and where they come from.
void print_configuration(const CommandLine& line, Configuration saved) {
  for (const auto& [name, origin] : line.origins())
    // Some options are saved with the plugin that they choose.
    if (name != "print-config" && (saved.options.contains(name) || line.given(name)))
      saved.sources[name] = origin;
  fmt::print("{}", configuration_text(saved));
}

/// Where the volume of a channel goes unless the user says so.
std::string default_output(const StitchRequest& request) {
  return request.stitch.input + (request.plugins.writer_id() == "zarr" ? "_stitched.ngff" : "_stitched");
}

/// Names of what stands beside a folder begin with its own.
void drop_slashes(std::string& path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
}

/// What a channel makes stands beside it under its name: twice the same would only fail after the first.
void refuse_twice(const std::vector<std::string>& channels) {
  std::set<std::filesystem::path> seen;
  for (const std::string& channel : channels)
    if (!seen.insert(std::filesystem::absolute(channel).lexically_normal()).second)
      throw UsageError(fmt::format("{}: is named twice; name each channel once", channel));
}

/// The channels that were named, by argument or option.
std::vector<std::string> channels_of(std::vector<std::string> channels, const Invocation& call,
                                     const Pipeline& pipeline) {
  const StitchRequest& request = pipeline.stitching;
  if (channels.empty() && !request.stitch.input.empty()) channels.push_back(request.stitch.input);
  if (channels.empty())
    throw UsageError(fmt::format("{} lacks CHANNEL, the folder of the channel; see --help", call.program));
  if (channels.size() > 1 && !request.output.path.empty())
    throw UsageError(
        fmt::format("--output names one volume, but there are {} channels; leave it out, and each becomes "
                    "CHANNEL_stitched",
                    channels.size()));
  if (channels.size() > 1 && names_a_path(pipeline.extras))
    throw UsageError(fmt::format(
        "--also FORMAT=PATH names one output, but there are {} channels; leave PATH out, and each "
        "stands beside its channel's volume",
        channels.size()));
  for (std::string& channel : channels) drop_slashes(channel);
  refuse_twice(channels);
  return channels;
}

/// What is done with each channel; the first one's alignment is that of all.
std::vector<ChannelRequest> requests_of(Session& session, const Pipeline& pipeline,
                                        const std::vector<std::string>& channels, const Configuration& saved,
                                        const Choices& choices) {
  std::vector<ChannelRequest> requests;
  std::string alignment;
  for (const std::string& channel : channels) {
    ChannelRequest request{pipeline.stitching, pipeline.run, saved, choices.measure_flat,
                           choices.align,      alignment,    {},    pipeline.extras.keep_stacks};
    request.stitching.stitch.input = channel;
    if (request.stitching.output.path.empty())
      request.stitching.output.path = default_output(request.stitching);
    request.saved.options["channel"] = channel;
    request.saved.options["output"] = request.stitching.output.path;
    request.extras = extra_outputs(pipeline.extras, session.registry(), request.stitching.output.path);
    if (!alignment.empty()) request.align = false;
    if (choices.align && alignment.empty()) alignment = alignment_path(request.stitching).string();
    if (choices.metadata) check_metadata(session, request.stitching, *choices.metadata);
    request.channels_after = static_cast<std::size_t>(&channels.back() - &channel);
    requests.push_back(std::move(request));
  }
  return requests;
}

/// What the channels will need. Throws Error when something is in their way, after all of it was said.
void forecast(Session& session, const std::vector<ChannelRequest>& requests) {
  std::int64_t problems = 0;
  for (const ChannelRequest& request : requests) problems += print_forecast(session, request);
  if (problems > 0)
    throw Error(fmt::format("{}: {} problem{} in the way of the run", requests.front().stitching.stitch.input,
                            problems, problems == 1 ? " is" : "s are"));
}

/// What schedulers want to know. Options that make no sense keep their own exit code.
int run_share(const std::function<void()>& work) try {
  work();
  return kDone;
} catch (const UsageError&) {
  throw;
} catch (const Cancelled&) {
  fmt::print(stderr, "spimstitch: stopped; what is done is kept\n");
  return kStopped;
} catch (const NotYet& error) {
  fmt::print(stderr, "spimstitch: {}\n", error.what());
  return kNotYet;
} catch (const Error& error) {
  fmt::print(stderr, "spimstitch: {}\n", error.what());
  return kBadData;
}

/// What the program takes unless it is told otherwise.
void set_defaults(StitchRequest& request) {
  request.output.levels = 7;
  request.stack.rotate_90 = 3;
  request.stack.flip_ud = true;
  request.stack.corrections.dark = 100;
}

/// What is done with the options that are the same for both commands.
enum class Purpose { run, forecast };

std::string description_of(Purpose purpose) {
  const std::string defaults =
      "Frames are oriented as those of the oblique SPIM microscopes of the Chung lab unless --rotate-90 and "
      "--flip-ud=false say otherwise. Unless --flat, --dark and --destripe say otherwise the dark level of "
      "100 "
      "is subtracted, stripes are removed by the method lightsheet, and the illumination is measured, kept "
      "as "
      "CHANNEL-illuc.tiff and divided out.";
  if (purpose == Purpose::forecast)
    return "Says what spimstitch run will need with the same options, and writes nothing: opens every camera "
           "file, looks at the output, the memory and the disk, and tries out for two seconds how fast this "
           "machine is on these data. What would fail later is said now, with exit code 1. " +
           defaults;
  return "Makes one stitched volume of the camera files CHANNEL/<x>/<x>_<y>/<z>.dcimg in one pass, without "
         "intermediate files; of several channels one each, all placed as the first one's alignment says. " +
         defaults +
         " What is done is remembered in OUTPUT.run until the volume is complete, so that --resume can go on "
         "after an interruption.";
}

int run_as(Purpose purpose, const Invocation& call) {
  Pipeline pipeline;
  StitchRequest& request = pipeline.stitching;
  set_defaults(request);
  std::vector<std::string> named;
  CommandLine line(call.program, "CHANNEL [CHANNEL...] [options]", description_of(purpose));
  line.arguments({"CHANNEL", "", "folder of the channel, e.g. Ex_488_Em_1"}, named, {0, 64});
  declare(line, pipeline);
  if (!line.parse(call.arguments)) return kDone;
  pipeline.run.check();
  drop_slashes(request.output.path);
  const std::vector<std::string> channels = channels_of(std::move(named), call, pipeline);
  choose_destripe(request, pipeline, line);
  settle_alignment(line, pipeline);
  Choices choices{
      pipeline.align && request.stitch.alignment.empty(), request.stack.corrections.flat.empty(), {}};
  const auto add_metadata = [&] { choices.metadata = complete_from_metadata(line, channels); };
  if (const int code = pipeline.run.shares() ? run_share(add_metadata) : (add_metadata(), kDone);
      code != kDone)
    return code;
  Session session(request.common, *call.cancel);
  std::vector<Kind> used{Kind::frame_reader, Kind::volume_writer, Kind::destriper};
  if (choices.align)
    used.push_back(Kind::aligner);
  else
    request.plugins.forget_configured(Kind::aligner);
  request.plugins.resolve(session, used);
  Configuration saved = configuration_of("pipeline", line, request.plugins.get());
  pipeline.extras.save(saved);
  if (pipeline.run.print_config) return print_configuration(line, saved), kDone;
  const auto requests = [&] { return requests_of(session, pipeline, channels, saved, choices); };
  if (purpose == Purpose::forecast) return forecast(session, requests()), kDone;
  give_notice(request, choices.measure_flat);
  if (line.given("psnr") && !writes_jp2(pipeline.extras) && !request.common.silent)
    fmt::print(stderr, "note: --psnr (PSNR) is of the planes of --also jp2, which are not asked for\n");
  const auto work = [&] {
    const std::vector<ChannelRequest> all = requests();
    // Hours of work on the first are no good moment to find that the second cannot be made.
    for (std::size_t i = 1; i < all.size(); ++i) ChannelRun(session, all[i]).check();
    for (const ChannelRequest& one : all) ChannelRun(session, one).run();
    session.complete();
  };
  if (pipeline.run.shares()) return run_share(work);
  try {
    work();
  } catch (const Cancelled&) {
    fmt::print(stderr, "spimstitch: interrupted; the same command with --resume goes on\n");
    return kInterrupted;
  }
  return kDone;
}

}  // namespace

ChannelRequest request_of_saved_run(Session& session, const std::filesystem::path& saved,
                                    const std::filesystem::path& output) {
  Pipeline pipeline;
  StitchRequest& request = pipeline.stitching;
  set_defaults(request);
  CommandLine line("spimstitch verify", "", "");
  declare(line, pipeline);
  if (!line.parse({"--config", saved.string()})) throw Error(saved.string() + ": holds no run");
  const Configuration used = load_configuration(saved);
  const auto alignment = used.options.find("alignment");
  request.stitch.alignment = alignment == used.options.end() ? "" : alignment->second;
  request.common = session.options();
  request.output.path = output.string();
  choose_destripe(request, pipeline, line);
  request.plugins.forget_configured(Kind::aligner);
  request.plugins.resolve(session, {Kind::frame_reader, Kind::volume_writer, Kind::destriper});
  return {request, {}, used, false, false, "", extra_outputs(pipeline.extras, session.registry(), output)};
}

int run_pipeline(const Invocation& call) {
  return run_as(Purpose::run, call);
}

int run_plan(const Invocation& call) {
  return run_as(Purpose::forecast, call);
}

}  // namespace spim::cli
