#include "tile_stacks.hpp"

#include <fmt/format.h>

#include "spim/host/instances.hpp"
#include "spim/host/publication.hpp"
#include "tile_folder.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// What the original programs read.
constexpr const char* kFormat = "blockfs";

/// Writes the volume of one tile, and gives it its name.
void write_stack(Session& session, const StackKeeping& keeping, const OpenTile& tile, const fs::path& path) {
  Selections plugins;
  plugins.writer.id = kFormat;
  plugins = complete(plugins, session.registry());
  std::vector<fs::path> inputs = keeping.request.stack.corrections.inputs();
  inputs.emplace_back(keeping.request.stitch.input);
  // What stands there now is of this run: that nothing else was in the way was seen when it began.
  Publication publication(path, true, inputs);
  const auto writer = create_writer(session.registry(), session.host(), plugins.writer, publication.path());
  OutputOptions options = keeping.request.output;
  options.levels = 1;  // to be stitched, as the original keeps them
  const VolumeLabels labels{tile.origin_um, path.filename().string()};
  VolumeSpec spec = volume_spec(*tile.volume, options, labels);
  spec.chunk = writer->chunk_shape(spec);
  sweep(*tile.volume, *writer, spec, session.executor(),
        {session.options().memory(), writer->memory_bytes(spec)}, session.progress());
  session.executor().cancel().check();
  save_configuration(keeping.saved, configuration_path(path));
  publication.commit();
}

}  // namespace

fs::path stack_path(const StitchRequest& request, const fs::path& tile) {
  const fs::path channel = fs::absolute(request.stitch.input).lexically_normal();
  const fs::path root =
      fs::path(request.output.path).parent_path() / (channel.filename().string() + "_destriped_precomputed");
  return root / fs::absolute(tile).lexically_normal().lexically_relative(channel).replace_extension();
}

void keep_stacks(Session& session, const StackKeeping& keeping) {
  TileFolder folder(session, tile_access(keeping.request, TileKind::camera_files));
  for (std::size_t i = 0; i < folder.paths().size(); ++i) {
    const std::string task = fmt::format("stack-{}", i);
    if (!keeping.wanted(task)) continue;
    const fs::path path = stack_path(keeping.request, folder.paths()[i].path);
    write_stack(session, keeping, folder.open(i, StackChecks::none), path);
    LedgerEntry entry;
    entry.task = task;
    entry.by = unique_token();
    std::vector<std::string> files = files_below(path);
    for (std::string& file : files) file = (fs::absolute(path).lexically_normal() / file).string();
    entry.files = secure_files("/", std::move(files));
    keeping.folder.record(entry);
    if (!session.options().silent) fmt::print("{}\n", path.string());
  }
}

}  // namespace spim::cli
