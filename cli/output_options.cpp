#include "output_options.hpp"

#include <fmt/format.h>

#include "plugin_choice.hpp"
#include "run_manifest.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/publication.hpp"
#include "spim/host/sweep.hpp"
#include "values.hpp"
#include "version.hpp"

namespace spim::cli {

namespace {

/// Prints what a writer says of its work.
class PrintedLines final : public MetadataSink {
 public:
  void text(std::string_view key, std::string_view value) override { fmt::print("  {}: {}\n", key, value); }
  void integer(std::string_view key, std::int64_t value) override { fmt::print("  {}: {}\n", key, value); }
  void number(std::string_view key, double value) override { fmt::print("  {}: {}\n", key, value); }
};

}  // namespace

void add_output_options(CommandLine& line, OutputOptions& options, CommonOptions& common) {
  line.group("Output");
  line.integer({"levels", "N", "levels of the pyramid; 1 means full resolution only"}, options.levels,
               {1, 24});
  line.triple({"chunk-size", "X,Y,Z", "voxels of a stored chunk; 0 on an axis means the format's own size"},
              options.chunk, {0, 4096});
  add_overwrite_option(line, common);
}

VolumeSpec volume_spec(const VolumeSource& source, const OutputOptions& output, const VolumeLabels& labels) {
  VolumeSpec spec;
  spec.shape = source.shape();
  spec.chunk = output.chunk;
  spec.levels = static_cast<std::int32_t>(output.levels);
  spec.type = source.type();
  spec.voxel_um = source.voxel_um();
  spec.origin_um = labels.origin_um;
  spec.name = labels.name.c_str();
  return spec;
}

void report_sweep_plan(Session& session, const std::string& path, const VolumeSpec& spec,
                       const SweepPlan& plan) {
  session.log(
      LogLevel::info,
      fmt::format("{}: {} voxels in {} chunks of {}, {} lane{}, {} of memory, {} workers", path,
                  format_triple(spec.shape), plan.chunks, format_triple(spec.chunk), plan.lanes,
                  plan.lanes == 1 ? "" : "s", format_bytes(plan.memory_bytes), session.executor().workers()));
  if (plan.corrections > 1)
    session.warn(fmt::format(
        "{}: {} of memory hold no more than a part of the frames, so there are {} bands, and each frame is "
        "corrected {:.1f} times on average, once for each band that it is part of; more --memory makes it "
        "faster",
        path, format_bytes(session.options().memory()), plan.lanes, plan.corrections));
}

void write_volume(Session& session, VolumeSource& source, const VolumeRequest& request) {
  VolumeSource* const channels[] = {&source};
  write_volume(session, channels, request);
}

void write_volume(Session& session, std::span<VolumeSource* const> channels, const VolumeRequest& request) {
  const VolumeSource& source = *channels.front();
  const std::string& path = request.output.path;
  Publication publication(path, session.options().overwrite, request.inputs);
  const auto writer =
      create_writer(session.registry(), session.host(), request.plugins.writer, publication.path());
  VolumeSpec spec = volume_spec(source, request.output, request.labels);
  spec.channel_count = static_cast<std::int32_t>(channels.size());
  std::vector<ChannelSpec> looks;
  for (const ChannelLabel& look : request.labels.channels)
    looks.push_back({look.label.c_str(), look.color.c_str(), look.window_start, look.window_end});
  if (!looks.empty()) spec.channels = looks.data();
  for (const VolumeSource* channel : channels)
    if (channel->type() == PixelType::u16) spec.type = PixelType::u16;
  spec.chunk = writer->chunk_shape(spec);

  const SweepSettings settings{session.options().memory(), writer->memory_bytes(spec), &session.stages()};
  report_sweep_plan(session, path, spec, plan_sweep(source, spec, session.executor(), settings));
  sweep(channels, *writer, spec, session.executor(), settings, session.progress());
  session.executor().cancel().check();
  // What is known of a volume that was there is not true of this one.
  std::error_code ignored;
  std::filesystem::remove(manifest_path(path), ignored);
  publication.commit();
  if (const auto& old = publication.left_behind(); !old.empty())
    session.warn(fmt::format("{}: the volume that was there could not be removed; it is now {}, delete it",
                             path, old.string()));
  save_configuration(request.saved, configuration_path(path));
  if (session.options().silent) return;
  fmt::print("{}: {}{} voxels, {} level{}\n", path,
             channels.size() > 1 ? fmt::format("{} channels of ", channels.size()) : "",
             format_triple(spec.shape), spec.levels, spec.levels == 1 ? "" : "s");
  PrintedLines lines;
  writer->describe(lines);
}

Configuration configuration_of(std::string_view command, const CommandLine& line, const Selections& plugins) {
  Configuration result{kVersion, std::string(command), line.values(), plugins};
  // The others are saved with their plugin; "none" has none.
  if (const auto destripe = result.options.find("destripe");
      destripe != result.options.end() && destripe->second != "none")
    result.options.erase(destripe);
  for (const char* name :
       {"aligner", "all", "check-parts", "config", "log-level", "ngff", "overwrite", "part", "phase",
        "print-config", "reader", "resume", "silent", "task", "use-wavelets", "writer"})
    result.options.erase(name);
  for (const std::string& name : PluginChoice::plugin_option_names()) result.options.erase(name);
  std::erase_if(result.options, [](const auto& option) { return option.second.empty(); });
  return result;
}

}  // namespace spim::cli
