// Making damaged files of a published volume again. Each piece is computed in the run folder, compared with
// what was written first, and then takes the place of the damaged one.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>

#include "channel_run.hpp"
#include "channel_volume.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/run_plan.hpp"
#include "tile_stacks.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

struct ChannelRun::Repair {
  fs::path output;
  std::map<std::string, FileSum> written;  ///< of every file, as it was
  std::map<std::string, std::string> task_of;
  std::set<std::string> damaged;  ///< what is left to do

  void done(const std::string& file) {
    damaged.erase(file);
    fmt::print("{}: {}: repaired\n", output.string(), file);
  }
};

/// A volume that was written in units, and how its files are called.
struct ChannelRun::RepairTarget {
  const TaskLayout& layout;
  std::function<std::string(TaskId)> task;                ///< in the manifest
  std::function<std::unique_ptr<VolumeWriter>()> create;  ///< that has joined nothing, in the run folder
  std::function<std::string(const std::string&)> name;  ///< in the manifest, of a file that such a one names
  UnitSource source;
};

namespace {

/// The folder of a repair goes with whatever is still in it.
class Scratch {
 public:
  explicit Scratch(const RunFolder& folder) : folder_(folder) {}
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(folder_.path(), ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

 private:
  const RunFolder& folder_;
};

void join_as_new(VolumeWriter& writer, const VolumeSpec& spec) {
  const std::string token = unique_token();
  writer.join(spec, {"repair", token.c_str()});
}

/// Of a repair that was killed.
void remove_half_written(const fs::path& output, const std::vector<std::string>& left) {
  for (const std::string& name : left) {
    std::error_code error;
    fs::remove_all(stored_place(output, name), error);
    if (error)
      throw Error(fmt::format("{} cannot be removed: {}", (output / name).string(), error.message()));
  }
}

/// Gives a file that is durable already the place of the damaged one.
void move_into_place(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  fs::rename(from, to, error);
  if (error) throw Error(fmt::format("{} cannot be put in place: {}", to.string(), error.message()));
}

}  // namespace

/// Of an output that has its name.
std::unique_ptr<VolumeWriter> ChannelRun::writer_of_published(const Selection& format, const fs::path& place,
                                                              const VolumeSpec& spec) const {
  auto writer = create_writer(session_.registry(), session_.host(), format, place);
  join_as_new(*writer, spec);
  return writer;
}

void ChannelRun::repair(const StoredManifest& manifest, const RepairWork& work) {
  const fs::path output = request_.stitching.output.path;
  const std::string name = output.string();
  if (manifest.layout.empty())
    throw Error(
        fmt::format("{}: cannot be repaired: the writer {} writes a volume in one go; make it again "
                    "with --overwrite",
                    name, request_.stitching.plugins.get().writer.id));
  Repair repair{output, {}, {}, {work.damaged.begin(), work.damaged.end()}};
  for (const LedgerEntry& task : manifest.tasks)
    for (const StoredFile& file : task.files) {
      repair.written[file.path] = file.sum;
      repair.task_of[file.path] = task.task;
    }
  folder_.create();
  lock_ = std::make_unique<RunLock>(folder_.path(), RunSharing::alone);
  if (folder_.exists())
    throw Error(fmt::format("{}: holds an unfinished run of the same output; go on with it, or remove it",
                            folder_.path().string()));
  const Scratch scratch(folder_);
  remove_half_written(output, work.left);
  if (repair.damaged.empty()) return;
  check_repair(manifest);
  Volume volume = open_volume();
  const TaskLayout layout(parse_task_shape(manifest.layout, manifest_path(output).string()));
  const VolumeSpec& spec = layout.shape().spec;
  if (spec.shape != volume.spec.shape || spec.chunk != volume.spec.chunk ||
      layout.shape().unit != volume.unit)
    throw Error(fmt::format("{}: cannot be repaired: it has {} voxels, and would have {} now", name,
                            format_triple(spec.shape), format_triple(volume.spec.shape)));
  const auto stored =
      writer_of_published(request_.stitching.plugins.get().writer, repair.output, volume.spec);
  repair_units({layout,
                task_name,
                [this] { return outputs_.create_writer(); },
                [this](const std::string& file) { return outputs_.published_name(file); },
                {volume.stitched.volume.get(), stored.get()}},
               repair);
  repair_rest(volume, repair);
  repair_others(volume.stitched.labels, repair);
  repair_stacks(repair);
  if (!repair.damaged.empty())
    throw Error(fmt::format("{}: {} cannot be made again as it was; make the volume again with --overwrite",
                            repair.output.string(), *repair.damaged.begin()));
}

/// Refuses what could not give the same bits.
void ChannelRun::check_repair(const StoredManifest& manifest) const {
  const std::string name = request_.stitching.output.path;
  std::string obstacle = plan_obstacle(manifest.plan, choices_now(), manifest_path(name).string());
  for (const StoredFile& product : manifest.products) {
    std::error_code error;
    if (fs::exists(product.path, error) && file_sum(product.path) == product.sum) continue;
    obstacle += fmt::format("{}{} is {}", obstacle.empty() ? "" : "; ", product.path,
                            fs::exists(product.path, error) ? "not what it was" : "not there");
  }
  if (!obstacle.empty())
    throw Error(fmt::format(
        "{}: cannot be repaired: {}; restore what it was made from, or make it again with --overwrite", name,
        obstacle));
}

/// Level by level, since each is made from the one below it.
void ChannelRun::repair_units(const RepairTarget& target, Repair& repair) {
  std::vector<UnitAddress> units = damaged_units(target, repair);
  std::ranges::stable_sort(units, {}, &UnitAddress::level);
  if (units.empty()) return;
  const TaskShape& shape = target.layout.shape();
  const std::int64_t unit_bytes = count(min(shape.unit, shape.spec.shape)) * bytes_of(shape.spec.type);
  session_.progress().begin("making damaged files again",
                            static_cast<std::int64_t>(units.size()) * unit_bytes);
  for (const UnitAddress& unit : units) {
    session_.executor().cancel().check();
    repair_unit(target, unit, repair);
    session_.progress().advance(unit_bytes);
  }
  session_.progress().end();
}

/// Writers alone know which file holds which unit: they are asked by writing placeholders for the units of
/// the tasks that have damaged files.
std::vector<UnitAddress> ChannelRun::damaged_units(const RepairTarget& target, const Repair& repair) const {
  std::map<std::string, TaskId> tasks;
  for (const TaskId task : target.layout.tasks()) tasks[target.task(task)] = task;
  std::map<TaskId, std::int64_t> missing;  // files of each task
  for (const std::string& file : repair.damaged)
    if (const auto task = tasks.find(repair.task_of.at(file)); task != tasks.end()) ++missing[task->second];
  constexpr std::size_t kAtOnce = 256;
  std::vector<UnitAddress> found;
  for (auto& [task, left] : missing) {
    const std::vector<UnitAddress> units = units_of(target.layout, task);
    for (std::size_t begin = 0; begin < units.size() && left > 0; begin += kAtOnce) {
      const auto some = std::span(units).subspan(begin, std::min(kAtOnce, units.size() - begin));
      std::vector<std::int64_t> hits(some.size());
      session_.executor().parallel_for(static_cast<std::int64_t>(some.size()), [&](std::int64_t i, int) {
        const auto at = static_cast<std::size_t>(i);
        hits[at] = std::ranges::count_if(files_of(target, some[at]), [&](const std::string& file) {
          return repair.damaged.contains(file);
        });
      });
      folder_.clear();
      for (std::size_t i = 0; i < some.size(); ++i) {
        if (hits[i] > 0) found.push_back(some[i]);
        left -= hits[i];
      }
    }
  }
  return found;
}

/// As in the manifest.
std::vector<std::string> ChannelRun::files_of(const RepairTarget& target, const UnitAddress& unit) const {
  CollectedFiles names;
  const auto writer = target.create();
  join_as_new(*writer, target.layout.shape().spec);
  write_placeholder(target.layout.shape(), unit, *writer);
  writer->finish_part(names);
  for (std::string& file : names.files) file = target.name(file);
  return std::move(names.files);
}

void ChannelRun::repair_unit(const RepairTarget& target, const UnitAddress& unit, Repair& repair) {
  const TaskShape& shape = target.layout.shape();
  const auto writer = target.create();
  join_as_new(*writer, shape.spec);
  make_unit(shape, unit, target.source, *writer, session_.executor());
  CollectedFiles made;
  writer->finish_part(made);
  replace_damaged(std::move(made.files), target.name, repair);
}

/// Gives files that were made again in the run folder the places of the damaged ones.
void ChannelRun::replace_damaged(std::vector<std::string> made,
                                 const std::function<std::string(const std::string&)>& name_of,
                                 Repair& repair) const {
  const std::vector<StoredFile> files = secure_files(folder_.content(), std::move(made));
  for (const StoredFile& file : files) {
    const std::string name = name_of(file.path);
    if (const auto was = repair.written.find(name); was == repair.written.end() || was->second != file.sum)
      throw Error(fmt::format(
          "{}: {} cannot be repaired: made again it is not what was written first, so an input was changed "
          "behind its first bytes; restore it, or make the volume again with --overwrite",
          repair.output.string(), name));
  }
  for (const StoredFile& file : files) {
    const std::string name = name_of(file.path);
    if (!repair.damaged.contains(name)) continue;
    move_into_place(stored_place(folder_.content(), file.path), stored_place(repair.output, name));
    secure_files(repair.output, {name});
    repair.done(name);
  }
}

/// Planes that are made of the finished volume, which is whole now. Volumes that are made of it are left as
/// they are: where their parts lie depends on which came first, so made again they would be other files.
void ChannelRun::repair_others(const VolumeLabels& labels, Repair& repair) {
  const auto name_of = [this](const std::string& file) { return outputs_.published_name(file); };
  for (const ExtraOutput& extra : outputs_.extras()) {
    const std::string task = "also-" + extra.name;
    if (extra.planes.empty()) continue;
    if (std::ranges::none_of(repair.damaged,
                             [&](const std::string& file) { return repair.task_of.at(file) == task; }))
      continue;
    const auto wanted = [&](const std::string& file) { return repair.damaged.contains(name_of(file)); };
    replace_damaged(outputs_.make_again(extra, labels, wanted), name_of, repair);
  }
}

/// The volumes of single tiles.
void ChannelRun::repair_stacks(Repair& repair) {
  std::set<std::string> tasks;
  for (const std::string& file : repair.damaged) tasks.insert(repair.task_of.at(file));
  TileFolder folder(session_, tile_access(request_.stitching, TileKind::camera_files));
  for (std::size_t i = 0; i < folder.paths().size(); ++i) {
    if (!tasks.contains(stack_task(i))) continue;
    const TileStack stack = open_stack(session_, request_.stitching, folder, i);
    const fs::path path = fs::absolute(stack.path).lexically_normal();
    const TaskLayout layout(stack.shape);
    repair_units(
        {layout,
         [&](TaskId) { return stack_task(i); },
         [&] { return create_writer(session_.registry(), session_.host(), stack.writer, folder_.content()); },
         [&](const std::string& file) { return (path / file).string(); },
         {stack.tile.volume.get(), nullptr}},
        repair);
    // What is left is metadata.
    std::vector<std::string> rest;
    for (const std::string& file : repair.damaged)
      if (repair.task_of.at(file) == stack_task(i)) rest.push_back(file);
    if (rest.empty()) continue;
    writer_of_published(stack.writer, path, stack.shape.spec)->finish();
    check_rest(std::move(rest), repair);
  }
}

/// Files that a writer has made again in their places.
void ChannelRun::check_rest(std::vector<std::string> rest, Repair& repair) const {
  for (const StoredFile& file : secure_files(repair.output, std::move(rest)))
    if (file.sum == repair.written.at(file.path)) repair.done(file.path);
}

/// Metadata and indices, which the writer makes from the stored chunks.
void ChannelRun::repair_rest(const Volume& volume, Repair& repair) {
  std::vector<std::string> rest;
  for (const std::string& file : repair.damaged)
    if (repair.task_of.at(file) == "finish") rest.push_back(file);
  const auto concerns = [&](const std::string& prefix) {
    return std::ranges::any_of(rest, [&](const std::string& file) {
      return prefix.empty() ? !file.starts_with("../") : file.starts_with(prefix);
    });
  };
  if (concerns(""))
    writer_of_published(request_.stitching.plugins.get().writer, repair.output, volume.spec)->finish();
  for (const ExtraOutput& extra : outputs_.extras())
    if (concerns(outputs_.published_name("../also-" + extra.name) + "/"))
      writer_of_published(extra.writer, extra.path, volume.spec)->finish();
  if (!rest.empty()) check_rest(std::move(rest), repair);
}

}  // namespace spim::cli
