#include "run_outputs.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "spim/host/converted_volume.hpp"
#include "spim/host/fan_out.hpp"
#include "spim/host/file_id.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/name_pattern.hpp"
#include "spim/host/plane_series.hpp"
#include "spim/host/publication.hpp"
#include "spim/host/volume_planes.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// Written when everything is made and the outputs begin to get their names.
constexpr const char* kPublishing = "publishing";
/// Option of writers that put many chunks into a file: MiB that incomplete ones may keep.
constexpr const char* kShardMemory = "shard-memory";

std::string prefix_of(const ExtraOutput& output) {
  return "../also-" + output.name;
}

/// True for the files that the output with this prefix has in the ledger.
bool belongs_to(const std::string& stored, const std::string& prefix) {
  return stored == prefix || stored.starts_with(prefix + "/");
}

fs::path resolved(const std::string& path) {
  fs::path result = fs::weakly_canonical(fs::absolute(path));
  return result.has_filename() ? result : result.parent_path();
}

/// The nearest folder above `path` that exists.
fs::path existing_parent(const fs::path& path) {
  std::error_code error;
  fs::path folder = path.parent_path();
  while (!fs::exists(folder, error) && folder != folder.parent_path()) folder = folder.parent_path();
  return folder;
}

/// Number of the file system that `path` is or will be on.
dev_t device_of(const fs::path& path) {
  struct stat status {};
  const fs::path folder = existing_parent(path);
  if (::stat(folder.c_str(), &status) != 0)
    throw Error(fmt::format("{} cannot be looked at; choose another output", folder.string()));
  return status.st_dev;
}

bool holds(const fs::path& folder, const fs::path& path) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

/// Every file of `place`, a file or a folder, named as in the ledger.
std::vector<std::string> ledger_names(const fs::path& place, const std::string& prefix) {
  if (fs::is_regular_file(place)) return {prefix};
  std::vector<std::string> files = files_below(place);
  for (std::string& file : files) file.insert(0, prefix + "/");
  return files;
}

constexpr const char* kNothing = "-";

/// What stays of a file or folder when it is renamed; kNothing when there is none.
std::string identity(const fs::path& path) {
  const auto id = file_id(path);
  return id ? fmt::format("{}", id->second) : kNothing;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error(fmt::format("{} cannot be created: {}", folder.string(), error.message()));
}

}  // namespace

/// What a format is made of behind the pass.
struct RunOutputs::Conversion {
  fs::path volume;  ///< the first output
  const VolumeLabels& labels;
  std::function<bool(const std::string& file)> wanted;  ///< of files that can be made alone; others are there
};

RunOutputs::RunOutputs(Session& session, const RunFolder& folder, OutputSet outputs)
    : session_(session), folder_(folder), outputs_(std::move(outputs)) {}

/// Planes have one level, and so has one TIFF file unless it is an OME-TIFF.
std::int32_t RunOutputs::levels_of(const ExtraOutput& output, std::int32_t levels) const {
  const auto ome = output.writer.options.find("ome");
  const bool has_one =
      !output.planes.empty() ||
      (output.writer.id == "tiff" && ome != output.writer.options.end() && ome->second != "true");
  return has_one ? 1 : levels;
}

/// What makes this output alone.
Configuration RunOutputs::configuration_of(const ExtraOutput& output, const Configuration& saved) const {
  Configuration own = saved;
  for (const char* name : {"also", "also-set", "keep-stacks", "psnr"}) own.options.erase(name);
  own.options["output"] = output.path;
  if (const auto levels = own.options.find("levels"); levels != own.options.end())
    levels->second = std::to_string(levels_of(output, std::stoi(levels->second)));
  own.selections.writer = output.writer;
  return own;
}

fs::path RunOutputs::place_of(const ExtraOutput& output) const {
  return folder_.path() / ("also-" + output.name);
}

void RunOutputs::check_targets(std::span<const fs::path> inputs) const {
  std::vector<fs::path> taken{resolved(outputs_.path), folder_.path()};
  for (const ExtraOutput& output : outputs_.extras) {
    const fs::path path = resolved(output.path);
    for (const fs::path& other : taken)
      if (holds(other, path) || holds(path, other))
        throw UsageError(
            fmt::format("the output {} in the format {} gets in the way of {}; give --also {}=PATH",
                        output.path, output.writer.id, other.string(), output.writer.id));
    taken.push_back(path);
    if (device_of(path) != device_of(taken.front()))
      throw UsageError(fmt::format(
          "{}: is on another disk than {}, and outputs of one run are given their names together; choose a "
          "place on the same disk, or convert the volume afterwards",
          output.path, outputs_.path));
    const Publication refuses(output.path, session_.options().overwrite, inputs);
    // Options that contradict each other are found by the writer itself.
    (void)spim::create_writer(session_.registry(), session_.host(), output.writer, place_of(output))
        ->most_channels();
  }
}

/// Whether a format can be written in the pass that writes the first one.
bool RunOutputs::goes_along(const ExtraOutput& output, const VolumeSpec& spec) const {
  if (!output.planes.empty()) return false;
  const auto writer =
      spim::create_writer(session_.registry(), session_.host(), output.writer, place_of(output));
  try {
    if (writer->chunk_shape(spec) != spec.chunk) return false;
  } catch (const Cancelled&) {
    throw;
  } catch (const Error&) {
    return false;  // of files with one level, say; what is really wrong is said by check_convertible()
  }
  return writer->unit_shape(spec) != Index3{};
}

/// Asks the writer of a format that is made at the end whether it can, before the work.
void RunOutputs::check_convertible(const ExtraOutput& output, VolumeSpec spec) const {
  spec.levels = levels_of(output, spec.levels);
  spec.chunk = {};
  if (!output.planes.empty()) spec.shape.z = 1;
  (void)spim::create_writer(session_.registry(), session_.host(), output.writer, place_of(output))
      ->chunk_shape(spec);
}

Index3 RunOutputs::choose(VolumeSpec& spec) {
  along_.clear();
  others_.clear();
  levels_ = spec.levels;
  const auto first =
      spim::create_writer(session_.registry(), session_.host(), outputs_.writer, folder_.content());
  spec.chunk = first->chunk_shape(spec);
  if (first->unit_shape(spec) == Index3{}) {
    if (outputs_.extras.empty()) return {};
    throw UsageError(fmt::format(
        "the writer {} cannot write a volume in parts, so nothing can be written beside it; make it with "
        "--also {} beside one that can, such as zarr",
        outputs_.writer.id, outputs_.writer.id));
  }
  for (const ExtraOutput& output : outputs_.extras) {
    const bool along = goes_along(output, spec);
    if (!along) check_convertible(output, spec);
    (along ? along_ : others_).push_back(&output);
  }
  return create_writer()->unit_shape(spec);
}

/// One of so many that share the memory.
std::unique_ptr<VolumeWriter> RunOutputs::create_writer(std::int64_t sharing) const {
  const auto create = [&](Selection writer, const fs::path& path) {
    if (const auto memory = writer.options.find(kShardMemory); memory != writer.options.end())
      memory->second = std::to_string(std::stoll(memory->second) / sharing);
    return spim::create_writer(session_.registry(), session_.host(), writer, path);
  };
  auto first = create(outputs_.writer, folder_.content());
  if (along_.empty()) return first;
  std::vector<FanOutBranch> branches;
  branches.push_back({std::move(first), ""});
  for (const ExtraOutput* output : along_)
    branches.push_back({create(output->writer, place_of(*output)), prefix_of(*output) + "/"});
  return fan_out(std::move(branches));
}

std::int64_t RunOutputs::memory_bytes(const VolumeSpec& spec) const {
  // What the workers have for one format is counted by the sweep; each further one has buffers of its own,
  // for a chunk's padded, compressed and checked bytes.
  constexpr std::int64_t kBuffers = 3;
  const std::int64_t chunk_bytes = count(spec.chunk) * bytes_of(spec.type);
  return shard_bytes(spec) +
         static_cast<std::int64_t>(along_.size()) * session_.executor().workers() * kBuffers * chunk_bytes;
}

void RunOutputs::convert_others(const VolumeLabels& labels,
                                const std::function<bool(const std::string&)>& wanted) const {
  for (const ExtraOutput* output : others_) {
    const std::string task = "also-" + output->name;
    if (!wanted(task)) continue;
    std::vector<std::string> files =
        convert(*output, {folder_.content(), labels, [](const std::string&) { return true; }});
    LedgerEntry entry;
    entry.task = task;
    entry.by = unique_token();
    entry.files = secure_files(folder_.content(), std::move(files));
    folder_.record(entry);
  }
}

std::vector<std::string> RunOutputs::make_again(const ExtraOutput& output, const VolumeLabels& labels,
                                                const std::function<bool(const std::string&)>& wanted) const {
  make_folder(folder_.content());  // names in the ledger are relative to it
  return convert(output, {outputs_.path, labels, wanted});
}

/// Returns the files, named as in the ledger.
std::vector<std::string> RunOutputs::convert(const ExtraOutput& output, const Conversion& conversion) const {
  const fs::path place = place_of(output);
  std::error_code error;
  fs::remove_all(place, error);  // of a try that did not end
  if (error) throw Error(fmt::format("{} cannot be removed: {}", place.string(), error.message()));
  Selection reader{outputs_.writer.id, {}};
  const auto known = session_.registry().items(Kind::volume_reader);
  if (std::ranges::none_of(known, [&](const Item& item) { return item.spec->id == reader.id; })) reader = {};
  const std::shared_ptr<VolumeReader> volume =
      open_volume(session_.registry(), session_.host(), reader, conversion.volume);
  const LevelInfo level = volume->level(0);
  const auto source = converted_volume(volume, 0, {level.shape, 0, 0, level.shape.x, 1}, level.voxel_um);
  if (output.planes.empty())
    convert_volume(output, *source, conversion.labels);
  else
    convert_planes(output, *source, conversion);
  return ledger_names(place, prefix_of(output));
}

void RunOutputs::convert_volume(const ExtraOutput& output, VolumeSource& source,
                                const VolumeLabels& labels) const {
  const auto writer =
      spim::create_writer(session_.registry(), session_.host(), output.writer, place_of(output));
  OutputOptions options;
  options.levels = levels_of(output, levels_);
  VolumeSpec spec = volume_spec(source, options, labels);
  spec.chunk = writer->chunk_shape(spec);
  sweep(source, *writer, spec, session_.executor(), {session_.options().memory(), writer->memory_bytes(spec)},
        session_.progress());
}

void RunOutputs::convert_planes(const ExtraOutput& output, const VolumeSource& source,
                                const Conversion& conversion) const {
  const fs::path folder = place_of(output);
  make_folder(folder);
  PlaneSeriesSettings settings;
  settings.count = source.shape().z;
  settings.name = [&, pattern = NamePattern(output.planes)](std::int64_t plane) {
    const std::string name = pattern.name(plane);
    return (conversion.wanted(prefix_of(output) + "/" + name) ? folder : fs::path(output.path)) / name;
  };
  settings.taken = TakenNames::keep;
  settings.is_whole = [](std::int64_t, const fs::path&) { return true; };  // the wanted ones are not there
  settings.create_writer = [&](const fs::path& path) {
    return spim::create_writer(session_.registry(), session_.host(), output.writer, path);
  };
  const PlaneSeries series(std::move(settings), session_.executor());
  PlaneLabels texts;
  texts.name = conversion.labels.name;
  texts.origin_um = conversion.labels.origin_um;
  write_volume_planes(source, series, texts,
                      {&session_.executor(), &session_.progress(), session_.options().memory()});
}

/// One line for each output, the first one first: what stood in its place.
std::vector<std::string> RunOutputs::marked() const {
  const auto text = folder_.document(kPublishing);
  return text ? split(*text, '\n') : std::vector<std::string>{};
}

bool RunOutputs::is_publishing() const {
  return !marked().empty();
}

bool RunOutputs::is_published() const {
  // Of all: after a power cut the names need not have come in their order.
  const std::vector<std::string> identities = marked();
  if (identities.size() != outputs_.extras.size() + 1) return false;
  const auto stands = [](const std::string& earlier, const std::string& path) {
    return earlier != kNothing && earlier == identity(path);
  };
  if (!stands(identities.front(), outputs_.path)) return false;
  for (std::size_t i = 0; i < outputs_.extras.size(); ++i)
    if (!stands(identities[i + 1], outputs_.extras[i].path)) return false;
  return true;
}

void RunOutputs::publish(std::span<const fs::path> inputs) const {
  std::vector<std::unique_ptr<Publication>> publications;
  std::vector<std::string> before = marked(), now;
  before.resize(outputs_.extras.size() + 1, kNothing);
  const auto add = [&](const std::string& path, const fs::path& place) {
    const std::string& earlier = before[now.size()];
    const bool has_name = earlier != kNothing && earlier == identity(path);
    now.push_back(has_name ? earlier : identity(place));
    if (has_name) return;
    make_folder(resolved(path).parent_path());
    publications.push_back(std::make_unique<Publication>(path, session_.options().overwrite, inputs, place));
  };
  add(outputs_.path, folder_.content());
  for (const ExtraOutput& output : outputs_.extras) add(output.path, place_of(output));
  // Should the end come behind the next step, this says which outputs have their names.
  replace_text_durably(folder_.path() / kPublishing, fmt::format("{}", fmt::join(now, "\n")));
  // The first output comes last: where it is, all are.
  std::vector<Publication*> last_first;
  for (const auto& publication : publications) last_first.insert(last_first.begin(), publication.get());
  Publication::commit_all(last_first);
  for (const Publication* publication : last_first)
    if (const auto& old = publication->left_behind(); !old.empty())
      session_.warn(fmt::format("{}: an output that was there could not be removed; it is now {}, delete it",
                                outputs_.path, old.string()));
}

void RunOutputs::forget_publishing() const {
  folder_.drop(kPublishing);
}

void RunOutputs::save_configurations(const Configuration& saved) const {
  save_configuration(saved, configuration_path(outputs_.path));
  for (const ExtraOutput& output : outputs_.extras)
    save_configuration(configuration_of(output, saved), configuration_path(output.path));
}

std::vector<std::string> RunOutputs::files() const {
  std::vector<std::string> files = files_below(folder_.content());
  for (const ExtraOutput* output : along_)
    for (std::string& file : ledger_names(place_of(*output), prefix_of(*output)))
      files.push_back(std::move(file));
  return files;
}

std::string RunOutputs::published_name(const std::string& stored) const {
  for (const ExtraOutput& output : outputs_.extras) {
    const std::string prefix = prefix_of(output);
    if (!belongs_to(stored, prefix)) continue;
    const fs::path name = resolved(output.path).lexically_relative(resolved(outputs_.path));
    return name.generic_string() + stored.substr(prefix.size());
  }
  return stored;
}

}  // namespace spim::cli
