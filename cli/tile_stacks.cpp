#include "tile_stacks.hpp"

#include <fmt/format.h>

#include "spim/host/instances.hpp"
#include "spim/host/publication.hpp"
#include "spim/host/task_sweep.hpp"
#include "spim/host/task_units.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// What the original programs read.
constexpr const char* kFormat = "blockfs";

/// Gives all tasks one writer.
class OneWriter final : public TaskWriters {
 public:
  explicit OneWriter(VolumeWriter& writer) : writer_(writer) {}
  VolumeWriter& writer(TaskId) override { return writer_; }
  void finished(TaskId) override {}

 private:
  VolumeWriter& writer_;
};

std::unique_ptr<VolumeWriter> joined_writer(Session& session, const TileStack& stack, const fs::path& place) {
  auto writer = create_writer(session.registry(), session.host(), stack.writer, place);
  const std::string token = unique_token();
  writer->join(stack.shape.spec, {"stack", token.c_str()});
  return writer;
}

void write_stack(Session& session, const TileStack& stack, const fs::path& place) {
  const auto writer = joined_writer(session, stack, place);
  OneWriter one(*writer);
  sweep_tasks(*stack.tile.volume, TaskLayout(stack.shape), {{0}}, one, session.executor(),
              {session.options().memory(), writer->memory_bytes(stack.shape.spec)}, session.progress());
  session.executor().cancel().check();
  CollectedFiles files;
  writer->finish_part(files);
  joined_writer(session, stack, place)->finish();
}

/// Writes the volume of one tile, and gives it its name.
void keep_stack(Session& session, const StackKeeping& keeping, const TileStack& stack) {
  std::vector<fs::path> inputs = keeping.request.stack.corrections.inputs();
  inputs.emplace_back(keeping.request.stitch.input);
  // What stands there now is of this run: that nothing else was in the way was seen when it began.
  Publication publication(stack.path, true, inputs);
  write_stack(session, stack, publication.path());
  save_configuration(keeping.saved, configuration_path(stack.path));
  publication.commit();
}

}  // namespace

fs::path stack_path(const StitchRequest& request, const fs::path& tile) {
  const fs::path channel = fs::absolute(request.stitch.input).lexically_normal();
  const fs::path root =
      fs::path(request.output.path).parent_path() / (channel.filename().string() + "_destriped_precomputed");
  return root / fs::absolute(tile).lexically_normal().lexically_relative(channel).replace_extension();
}

std::string stack_task(std::size_t tile) {
  return fmt::format("stack-{}", tile);
}

TileStack open_stack(Session& session, const StitchRequest& request, TileFolder& folder, std::size_t tile) {
  TileStack stack;
  stack.path = stack_path(request, folder.paths()[tile].path);
  stack.tile = folder.open(tile, StackChecks::none);
  Selections plugins;
  plugins.writer.id = kFormat;
  stack.writer = complete(plugins, session.registry()).writer;
  const auto writer = create_writer(session.registry(), session.host(), stack.writer, stack.path);
  const VolumeSource& volume = *stack.tile.volume;
  OutputOptions options = request.output;
  options.levels = 1;  // to be stitched, as the original keeps them
  const VolumeLabels labels{stack.tile.origin_um, ""};
  VolumeSpec spec = volume_spec(volume, options, labels);
  spec.name = "";
  spec.chunk = writer->chunk_shape(spec);
  SweepPlan whole;
  whole.lane_chunks = ceil_div(spec.shape, spec.chunk);
  stack.shape = cut_into_tasks(volume, spec, writer->unit_shape(spec), 1, whole);
  return stack;
}

void keep_stacks(Session& session, const StackKeeping& keeping) {
  TileFolder folder(session, tile_access(keeping.request, TileKind::camera_files));
  for (std::size_t i = 0; i < folder.paths().size(); ++i) {
    const std::string task = stack_task(i);
    if (!keeping.wanted(task)) continue;
    const fs::path path = stack_path(keeping.request, folder.paths()[i].path);
    keep_stack(session, keeping, open_stack(session, keeping.request, folder, i));
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
