#include "spim/host/plane_series.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

#include "program_bytes.hpp"
#include "spim/error.hpp"
#include "spim/host/file_id.hpp"

namespace spim {

namespace fs = std::filesystem;

namespace {

/// What `input` stands for: itself, the files of a folder, or those that a glob expression matches.
std::vector<fs::path> files_of(const fs::path& input) {
  std::vector<fs::path> files{input};
  std::error_code error;
  if (fs::is_directory(input, error)) {
    for (fs::directory_iterator i(input, error), end; !error && i != end; i.increment(error))
      files.push_back(i->path());
  } else if (!fs::exists(input, error)) {
    glob_t found{};
    if (::glob(input.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
      files.insert(files.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
  }
  return files;
}

/// The name without detours, so that two spellings of it are found. Links need not be followed: they would
/// have to be there already.
std::string plain_name(const fs::path& path) {
  return fs::absolute(path).lexically_normal().string();
}

/// Names that are taken, as found before any work.
class TakenSurvey {
 public:
  explicit TakenSurvey(const PlaneSeriesSettings& settings) : settings_(settings) {
    for (const fs::path& input : settings.inputs)
      for (const fs::path& file : files_of(input))
        if (const auto id = file_id(file)) inputs_.insert(*id);
  }

  /// The planes whose names are taken, rising.
  std::vector<std::int64_t> taken() {
    std::vector<std::int64_t> planes;
    names_.reserve(static_cast<std::size_t>(settings_.count));
    for (std::int64_t plane = 0; plane < settings_.count; ++plane) {
      const fs::path path = settings_.name(plane);
      if (!names_.insert(plain_name(path)).second)
        throw Error(fmt::format("{} would be the name of two planes; choose another output", path.string()));
      if (is_taken(path)) planes.push_back(plane);
    }
    return planes;
  }

 private:
  bool is_taken(const fs::path& path) const {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) return false;
    if (fs::is_directory(status))
      throw Error(fmt::format("{} is a folder; choose another output", path.string()));
    if (const auto id = file_id(path); id && inputs_.contains(*id))
      throw Error(fmt::format("{} is an input; choose another output", path.string()));
    return true;
  }

  const PlaneSeriesSettings& settings_;
  std::set<FileId> inputs_;
  std::unordered_set<std::string> names_;
};

[[noreturn]] void refuse(const fs::path& first, std::size_t count) {
  throw Error(fmt::format("{}{} already; choose another output or give --overwrite", first.string(),
                          count == 1 ? " exists" : fmt::format(" and {} more exist", count - 1)));
}

/// Lets the system begin to write a file to the disk while the next ones are made.
void start_writing_back(const fs::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  ::sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE);  // a hint; what fails is reported by fsync
  ::close(file);
}

}  // namespace

VolumeSpec plane_spec(const VolumeSource& source, const PlaneLabels& labels, std::int64_t plane) {
  VolumeSpec spec;
  spec.shape = {source.shape().x, source.shape().y, 1};
  spec.type = source.type();
  spec.voxel_um = source.voxel_um();
  spec.origin_um = labels.origin_um + Vec3{0, 0, static_cast<double>(plane) * spec.voxel_um.z};
  spec.name = labels.name.c_str();
  spec.source = labels.source.c_str();
  if (labels.first_frame >= 0) spec.first_frame = labels.first_frame + plane;
  if (labels.stamp) spec.stamp = labels.stamp(plane);
  return spec;
}

PlaneFile::PlaneFile(fs::path name, const PlaneSeriesSettings& settings, const VolumeSpec& spec)
    : publication_(std::move(name), settings.taken != TakenNames::refuse, settings.inputs),
      spec_(spec),
      writer_(settings.create_writer(publication_.path())) {
  spec_.chunk = writer_->chunk_shape(spec_);
  writer_->begin(spec_);
  spec_.name = spec_.source = "";  // borrowed
}

void PlaneFile::write(VolumeView<const std::uint16_t> plane) {
  const Index3 grid = ceil_div(spec_.shape, spec_.chunk);
  std::vector<std::uint16_t> part;
  for (std::int64_t y = 0; y < grid.y; ++y)
    for (std::int64_t x = 0; x < grid.x; ++x) {
      const Index3 begin{x * spec_.chunk.x, y * spec_.chunk.y, 0};
      const Index3 size = min(spec_.chunk, spec_.shape - begin);
      const std::uint16_t* const from = plane.row(begin.y, 0) + begin.x;
      if (size.x == plane.stride_y || size.y == 1) {
        writer_->write({0, {x, y, 0}}, dense_view(from, size));
        continue;
      }
      part.resize(static_cast<std::size_t>(count(size)));
      for (std::int64_t i = 0; i < size.y; ++i)
        std::copy_n(from + i * plane.stride_y, size.x, part.data() + i * size.x);
      writer_->write({0, {x, y, 0}}, dense_view<const std::uint16_t>(part.data(), size));
    }
}

void PlaneFile::finish() {
  writer_->finish();
  start_writing_back(publication_.path());
}

void PlaneFile::publish(std::span<const std::unique_ptr<PlaneFile>> files) {
  std::vector<Publication*> publications;
  for (const auto& file : files) publications.push_back(&file->publication_);
  Publication::commit_all(publications);
}

PlaneSeries::PlaneSeries(PlaneSeriesSettings settings, const Executor& executor)
    : settings_(std::move(settings)) {
  std::vector<std::int64_t> taken = TakenSurvey(settings_).taken();
  if (!taken.empty() && settings_.taken == TakenNames::refuse)
    refuse(settings_.name(taken.front()), taken.size());
  std::vector<char> kept(static_cast<std::size_t>(settings_.count));
  if (settings_.taken == TakenNames::keep)
    executor.parallel_for(static_cast<std::int64_t>(taken.size()), [&](std::int64_t i, int) {
      const std::int64_t plane = taken[static_cast<std::size_t>(i)];
      kept[static_cast<std::size_t>(plane)] = settings_.is_whole(plane, settings_.name(plane)) ? 1 : 0;
    });
  for (std::int64_t plane = 0; plane < settings_.count; ++plane)
    if (kept[static_cast<std::size_t>(plane)] == 0) wanted_.push_back(plane);
}

Index3 PlaneSeries::chunk_shape(const VolumeSpec& spec) const {
  return settings_.create_writer(settings_.name(0))->chunk_shape(spec);
}

std::int64_t PlaneSeries::writer_bytes(VolumeSpec spec) const {
  const auto writer = settings_.create_writer(settings_.name(0));
  spec.chunk = writer->chunk_shape(spec);
  return writer->memory_bytes(spec);
}

std::unique_ptr<PlaneFile> PlaneSeries::create(std::int64_t plane, const VolumeSpec& spec) const {
  return std::make_unique<PlaneFile>(settings_.name(plane), settings_, spec);
}

namespace {

/// Files are made durable in groups of this many raw bytes, and at most so many: the disk is waited for
/// less often, and little is lost when a run is killed.
constexpr std::int64_t kGroupBytes = std::int64_t{256} << 20;
constexpr std::int64_t kGroupFiles = 64;

/// Reads planes and writes them.
class PlaneWriter {
 public:
  PlaneWriter(const VolumeSource& source, const PlaneSeries& series, const PlaneLabels& labels,
              Progress& progress)
      : source_(source), series_(series), labels_(labels), progress_(progress) {}

  void run(const Executor& executor) {
    const std::span wanted = series_.wanted();
    std::vector<std::vector<std::uint16_t>> buffers(static_cast<std::size_t>(executor.workers()));
    try {
      executor.parallel_for(static_cast<std::int64_t>(wanted.size()), [&](std::int64_t i, int worker) {
        write_one(wanted[static_cast<std::size_t>(i)], buffers[static_cast<std::size_t>(worker)]);
      });
    } catch (...) {
      publish_what_is_done();
      throw;
    }
    PlaneFile::publish(finished_);
  }

  std::int64_t plane_bytes() const {
    return source_.shape().x * source_.shape().y * static_cast<std::int64_t>(sizeof(std::uint16_t));
  }

 private:
  using Files = std::vector<std::unique_ptr<PlaneFile>>;

  void write_one(std::int64_t plane, std::vector<std::uint16_t>& buffer) {
    const Index3 shape = source_.shape();
    buffer.resize(static_cast<std::size_t>(shape.x * shape.y));
    const auto view = dense_view(buffer.data(), Index3{shape.x, shape.y, 1});
    source_.read({{0, 0, plane}, {shape.x, shape.y, plane + 1}}, view);
    auto file = series_.create(plane, plane_spec(source_, labels_, plane));
    file->write(as_const(view));
    file->finish();
    publish_with_others(std::move(file));
    progress_.advance(shape.x * shape.y * bytes_of(source_.type()));
  }

  /// So that a run that goes on need not do it again. The failure that ended this one is what is told.
  void publish_what_is_done() noexcept {
    try {
      PlaneFile::publish(finished_);
    } catch (const std::exception&) {
    }
  }

  void publish_with_others(std::unique_ptr<PlaneFile> file) {
    Files group;
    {
      const std::lock_guard lock(mutex_);
      finished_.push_back(std::move(file));
      const auto count = static_cast<std::int64_t>(finished_.size());
      if (count < kGroupFiles && count * plane_bytes() < kGroupBytes) return;
      group.swap(finished_);
    }
    PlaneFile::publish(group);
  }

  const VolumeSource& source_;
  const PlaneSeries& series_;
  const PlaneLabels& labels_;
  Progress& progress_;
  std::mutex mutex_;
  Files finished_;
};

std::string mebibytes(std::int64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

/// What a worker needs: the plane, once more for the reader and, compressed, for the writer, which may say
/// that it takes more.
std::int64_t worker_bytes(const VolumeSource& source, std::int64_t plane_bytes, std::int64_t writer_bytes) {
  constexpr std::int64_t kScratch = std::int64_t{2} << 20;
  return 2 * plane_bytes + std::max(plane_bytes, writer_bytes) + source.cost().scratch_bytes + kScratch;
}

}  // namespace

int write_planes(const VolumeSource& source, const PlaneSeries& series, const PlaneLabels& labels,
                 const PlaneWork& work) {
  PlaneWriter writer(source, series, labels, *work.progress);
  const std::int64_t writer_bytes =
      series.wanted().empty() ? 0 : series.writer_bytes(plane_spec(source, labels, series.wanted().front()));
  const std::int64_t need = worker_bytes(source, writer.plane_bytes(), writer_bytes);
  const std::int64_t room = (work.memory_bytes - detail::program_bytes(work.memory_bytes)) / need;
  if (room < 1)
    throw Error(
        fmt::format("planes of {} x {} need at least {} of memory but may have {}; give more "
                    "--memory",
                    source.shape().x, source.shape().y, mebibytes(detail::budget_for(need)),
                    mebibytes(work.memory_bytes)));
  const int workers = static_cast<int>(std::min<std::int64_t>(room, work.executor->workers()));
  const auto planes = static_cast<std::int64_t>(series.wanted().size());
  work.progress->begin("writing planes",
                       planes * source.shape().x * source.shape().y * bytes_of(source.type()));
  writer.run(Executor(workers, work.executor->cancel()));
  work.progress->end();
  return workers;
}

}  // namespace spim
