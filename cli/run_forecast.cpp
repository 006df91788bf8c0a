#include "run_forecast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "data_size.hpp"
#include "machine.hpp"
#include "run_course.hpp"
#include "run_options.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/publication.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kProbeSeconds = 1;  ///< for frames, and once more for chunks

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

/// What the camera files are, all opened once.
struct Tiles {
  std::int64_t frames = 0, raw_bytes = 0, voxels = 0;  ///< of all
  std::vector<Box> boxes;                              ///< where the stage says that they are, in voxels
};

/// Rates of this machine on these data.
struct Rates {
  double frames_per_second = 0;  ///< read, corrected, kept for the deskew
  double voxels_per_second = 0;  ///< deskewed, blended, compressed, written
  double stored_per_voxel = 0;   ///< bytes
};

/// Things that are in the way of a run.
class Problems {
 public:
  void add(const std::string& what) {
    fmt::print("problem       {}\n", what);
    ++count_;
  }
  template <class F>
  void collect(F&& f) {
    try {
      f();
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {
      add(error.what());
    }
  }
  std::int64_t count() const { return count_; }

 private:
  std::int64_t count_ = 0;
};

Tiles look_at_tiles(Session& session, const StitchRequest& request, TileFolder& folder, Problems& problems) {
  Tiles tiles;
  const std::vector<Vec3> positions =
      nominal_positions(folder.paths(), request.stitch, folder.full_voxel_um());
  std::vector<Index3> shapes;
  for (std::size_t i = 0; i < folder.paths().size(); ++i) {
    session.executor().cancel().check();
    problems.collect([&] {
      const OpenTile tile = folder.open(i, StackChecks::report);
      const ValidRegion region = tile.volume->region();
      const Vec3 um = tile.volume->voxel_um(), at = positions[i] + tile.origin_um;
      const Index3 begin{std::llround(at.x / um.x), std::llround(at.y / um.y), std::llround(at.z / um.z)};
      tiles.boxes.push_back({begin, begin + tile.volume->shape()});
      tiles.frames += region.frames;
      tiles.voxels += region.frames * region.shape.y * region.shape.z;
      tiles.raw_bytes += region.frames * region.shape.y * region.shape.z * bytes_of(tile.volume->type());
    });
  }
  return tiles;
}

void print_overlaps(const Tiles& tiles) {
  std::int64_t pairs = 0, widest = 0;
  for (std::size_t i = 0; i < tiles.boxes.size(); ++i)
    for (std::size_t j = i + 1; j < tiles.boxes.size(); ++j) {
      const Box both = intersect(tiles.boxes[i], tiles.boxes[j]);
      if (both.empty()) continue;
      ++pairs;
      const Index3 size = both.size();
      widest = std::max(widest, std::min({size.x, size.y, size.z}));
    }
  fmt::print("overlaps      {} pairs of tiles, up to {} voxels wide\n", pairs, widest);
}

/// The part of the volume that is tried out: a few columns of chunks in the middle.
std::vector<Box> sample_boxes(const VolumeSource& source, const VolumeSpec& spec) {
  const Index3 grid = ceil_div(spec.shape, spec.chunk);
  std::vector<Box> boxes;
  const std::int64_t z = grid.z / 2;
  for (std::int64_t i = 0; i < grid.x && boxes.size() < 64; ++i) {
    const std::int64_t x = (grid.x / 2 + i) % grid.x;
    for (std::int64_t y = 0; y < grid.y && boxes.size() < 64; ++y) {
      const Index3 begin{x * spec.chunk.x, y * spec.chunk.y, z * spec.chunk.z};
      const Box box{begin, min(begin + spec.chunk, spec.shape)};
      if (source.may_hold_data(box)) boxes.push_back(box);
    }
    if (!boxes.empty() && i > 2) break;
  }
  return boxes;
}

double probe_frames(Session& session, const TileAccess& access, const std::vector<TilePath>& paths) {
  StackOpener opener(session, access.plugins, access.stack);
  const auto frames = opener.open(paths[paths.size() / 2].path, StackChecks::none);
  const StackShape shape = frames->shape();
  const std::int64_t stride = BlockedView::kRows * shape.columns;
  const std::int64_t samples = ceil_div(shape.rows, BlockedView::kRows) * stride;
  std::vector<std::vector<std::uint16_t>> buffers(static_cast<std::size_t>(session.executor().workers()));
  std::atomic<std::int64_t> done{0};
  const auto began = Clock::now();
  session.executor().parallel_for(shape.frames, [&](std::int64_t frame, int worker) {
    if (done.load() > 0 && seconds_since(began) > kProbeSeconds) return;
    std::vector<std::uint16_t>& buffer = buffers[static_cast<std::size_t>(worker)];
    buffer.resize(static_cast<std::size_t>(samples));
    frames->load(frame, {}, {buffer.data(), shape.columns, shape.rows, stride});
    done.fetch_add(1);
  });
  return static_cast<double>(done.load()) / std::max(seconds_since(began), 1e-6);
}

/// Bytes of all files below a folder, or of a file.
std::int64_t bytes_below(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return static_cast<std::int64_t>(fs::file_size(path, error));
  std::int64_t bytes = 0;
  for (fs::recursive_directory_iterator i(path, error), end; !error && i != end; i.increment(error))
    if (i->is_regular_file(error)) bytes += static_cast<std::int64_t>(i->file_size(error));
  return bytes;
}

void probe_chunks(Session& session, VolumeSource& source, const StitchRequest& request,
                  const VolumeSpec& spec, const fs::path& path, Rates& rates) {
  const std::vector<Box> boxes = sample_boxes(source, spec);
  if (boxes.empty()) return;
  source.prepare(boxes, session.executor());
  const auto writer = create_writer(session.registry(), session.host(), request.plugins.get().writer, path);
  VolumeSpec once = spec;
  once.levels = 1;
  writer->begin(once);
  std::atomic<std::int64_t> voxels{0};
  const auto began = Clock::now();
  session.executor().parallel_for(static_cast<std::int64_t>(boxes.size()), [&](std::int64_t i, int) {
    if (voxels.load() > 0 && seconds_since(began) > kProbeSeconds) return;
    const Box& box = boxes[static_cast<std::size_t>(i)];
    std::vector<std::uint16_t> buffer(static_cast<std::size_t>(count(box.size())));
    const auto view = dense_view(buffer.data(), box.size());
    source.read(box, view);
    writer->write({0, {box.begin.x / spec.chunk.x, box.begin.y / spec.chunk.y, box.begin.z / spec.chunk.z}},
                  as_const(view));
    voxels.fetch_add(count(box.size()));
  });
  const auto done = static_cast<double>(voxels.load());
  rates.voxels_per_second = done / std::max(seconds_since(began), 1e-6);
  rates.stored_per_voxel = static_cast<double>(bytes_below(path)) / done;
  source.prepare({}, session.executor());
}

std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 1) return "under 1 s";
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

/// Voxels that are computed and stored. Those without data are not stored, and each level has an eighth of
/// the voxels of the one before.
double stored_voxels(const VolumeSpec& spec, const Tiles& tiles) {
  const double filled = std::min(static_cast<double>(tiles.voxels), static_cast<double>(count(spec.shape)));
  return filled * (spec.levels > 1 ? 8.0 / 7 : 1);
}

/// Bytes that each file system has to take.
class DiskNeeds {
 public:
  void add(const fs::path& output, double bytes) {
    const fs::path folder = existing_folder(fs::absolute(output).parent_path());
    Need& need = needs_[file_system_of(folder).mount];
    need.folder = folder;
    need.bytes += static_cast<std::int64_t>(bytes);
  }
  void print(Problems& problems) const {
    for (const auto& [mount, need] : needs_) {
      std::error_code error;
      const fs::space_info space = fs::space(need.folder, error);
      if (error) {
        problems.add(
            fmt::format("{}: its free space cannot be found out: {}", need.folder.string(), error.message()));
        continue;
      }
      const auto available = static_cast<std::int64_t>(space.available);
      fmt::print("disk          about {} needed, {} free in {}\n", format_data(need.bytes),
                 format_data(available), need.folder.string());
      if (need.bytes > available)
        problems.add(
            fmt::format("{} has too little space; choose an output on another disk", need.folder.string()));
    }
  }

 private:
  struct Need {
    fs::path folder;
    std::int64_t bytes = 0;
  };
  std::map<std::string, Need> needs_;  ///< by mount point
};

/// Everything that a run writes, the unfinished outputs in OUTPUT.run included: they become the finished
/// ones.
void print_disk(const ChannelRequest& forecast, const VolumeSpec& spec, const Tiles& tiles,
                const Rates& rates, Problems& problems) {
  const double voxels = stored_voxels(spec, tiles);
  DiskNeeds needs;
  needs.add(forecast.stitching.output.path, voxels * rates.stored_per_voxel);
  for (const ExtraOutput& extra : forecast.extras) {
    // Planes have one level, voxels without data too, and are compressed less.
    const double bytes = extra.planes.empty() ? voxels * rates.stored_per_voxel
                                              : static_cast<double>(count(spec.shape)) *
                                                    static_cast<double>(bytes_of(spec.type));
    needs.add(extra.path, bytes);
  }
  if (forecast.keep_stacks)
    needs.add(forecast.stitching.output.path, static_cast<double>(tiles.voxels) * rates.stored_per_voxel);
  needs.print(problems);
}

void print_time(Session& session, const ChannelRequest& forecast, const VolumeSpec& spec, const Tiles& tiles,
                const SweepPlan& plan, const Rates& rates) {
  fmt::print("this machine  reads and corrects {:.0f} frames, makes {:.1f} million voxels a second\n",
             rates.frames_per_second, rates.voxels_per_second / 1e6);
  const double frames = static_cast<double>(tiles.frames) * plan.corrections / rates.frames_per_second;
  const double voxels = stored_voxels(spec, tiles) * static_cast<double>(1 + forecast.extras.size());
  const double sweep = frames + voxels / rates.voxels_per_second;
  CourseRequest course{forecast.stitching, tiles.boxes.size()};
  course.camera_bytes = static_cast<double>(tiles.raw_bytes);
  course.illumination = forecast.measure_flat;
  course.alignment = forecast.align && tiles.boxes.size() > 1;
  // What was not tried out is taken to be as much slower or faster than usual as what was.
  std::map<std::string, double> usual;
  for (const Leg& leg : course_of(course, session.executor().workers())) usual[leg.name] = leg.seconds;
  const double pace = sweep / std::max(usual["sweep"], 1e-3);
  double seconds = sweep;
  std::string parts = fmt::format("sweep {}", duration(sweep));
  for (const Phase phase : {Phase::illumination, Phase::alignment}) {
    const std::string name(phase_word(phase));
    if (!usual.contains(name)) continue;
    const double expected = usual[name] * std::clamp(pace, 0.5, 2.0);
    seconds += expected;
    parts += fmt::format(", {} {}", name, duration(expected));
  }
  fmt::print("time          about {}: {}\n", duration(seconds), parts);
}

/// How the volume is cut where memory does not hold everything that is in flight.
void print_bands(Session& session, const VolumeSpec& spec, const SweepPlan& plan) {
  fmt::print("memory        {} needed of {}; this machine has {}\n", format_bytes(plan.memory_bytes),
             format_bytes(session.options().memory()), format_bytes(this_machine().memory_bytes));
  if (plan.lanes <= 1) {
    fmt::print("bands         one: all that is in flight at a time fits into the memory\n");
    return;
  }
  fmt::print(
      "bands         {} of y and z, one after the other, up to {} x {} voxels each, because more would need "
      "more than "
      "{}{}\n",
      plan.lanes, std::min(plan.lane_chunks.y * spec.chunk.y, spec.shape.y),
      std::min(plan.lane_chunks.z * spec.chunk.z, spec.shape.z), format_bytes(session.options().memory()),
      plan.corrections > 1
          ? fmt::format(
                "; each frame is corrected {:.1f} times on average, once for each band that it is part "
                "of; more --memory makes it faster",
                plan.corrections)
          : "");
}

/// How many files are begun at a time, and what that means for memory and for an interruption.
void print_tasks(const TaskLayout& layout, const TaskCourse& course, std::int64_t shard_bytes) {
  fmt::print("tasks         {}, up to {} at a time\n", layout.tasks().size(), course.most_open);
  if (shard_bytes > 0)
    fmt::print(
        "shards        those that are incomplete share {} of the memory; what does not fit goes through "
        "files beside them\n",
        format_bytes(shard_bytes));
  if (const std::string late = late_tasks(course); !late.empty()) fmt::print("interrupted   {}\n", late);
}

}  // namespace

std::int64_t print_forecast(Session& session, const ChannelRequest& forecast) {
  StitchRequest request = forecast.stitching;
  if (forecast.measure_flat) request.stack.corrections.flat = "none";  // it costs next to nothing
  Problems problems;
  TileAccess access = tile_access(request, TileKind::camera_files);
  TileFolder folder(session, plain_access(request));
  fmt::print("{}\ntiles         {}\n", request.stitch.input, folder.paths().size());
  if (RunFolder(request.output.path).exists())
    fmt::print("unfinished    a run of this output is there; run --resume goes on with it\n");
  problems.collect([&] { ChannelRun(session, forecast).check_targets(); });
  const Tiles tiles = look_at_tiles(session, request, folder, problems);
  if (!tiles.boxes.empty()) {
    fmt::print("camera files  {} frames, {}\n", tiles.frames, format_data(tiles.raw_bytes));
    print_overlaps(tiles);
  }
  if (problems.count() == 0)
    problems.collect([&] {
      TileFolder corrected(session, access);
      const StitchedVolume stitched = open_stitched(session, request, corrected);
      const Publication trial(fs::path(request.output.path).concat(".trial"), false);
      VolumeSpec spec = volume_spec(*stitched.volume, request.output, stitched.labels);
      const RunFolder run(request.output.path);
      RunOutputs outputs(session, run, {request.output.path, request.plugins.get().writer, forecast.extras});
      const Index3 unit = outputs.choose(spec);
      fmt::print("volume        {} voxels (x,y,z) in chunks of {}, {} level{}\n", format_triple(spec.shape),
                 format_triple(spec.chunk), spec.levels, spec.levels == 1 ? "" : "s");
      const SweepSettings settings{session.options().memory(), outputs.memory_bytes(spec), nullptr, unit};
      const SweepPlan plan = plan_sweep(*stitched.volume, spec, session.executor(), settings);
      print_bands(session, spec, plan);
      if (unit != Index3{}) {
        const TaskLayout layout(cut_into_tasks(*stitched.volume, spec, unit, forecast.run.tasks, plan));
        SweepShare all;
        for (std::int64_t i = 0; i < layout.sweep_tasks(); ++i) all.tasks.insert(i);
        print_tasks(layout, rehearse_tasks(*stitched.volume, layout, all, session.executor(), settings),
                    outputs.shard_bytes(spec));
      }
      Rates rates;
      rates.frames_per_second = probe_frames(session, access, folder.paths());
      probe_chunks(session, *stitched.volume, request, spec, trial.path(), rates);
      if (rates.voxels_per_second <= 0 || rates.frames_per_second <= 0) return;
      print_disk(forecast, spec, tiles, rates, problems);
      print_time(session, forecast, spec, tiles, plan, rates);
    });
  return problems.count();
}

}  // namespace spim::cli
