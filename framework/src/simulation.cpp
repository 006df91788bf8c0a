#include "spim/host/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "spim/error.hpp"
#include "truth_files.hpp"

namespace spim {

namespace fs = std::filesystem;

namespace {

/// Frames that are computed before they are written, at most: enough that all workers are busy most of the
/// time.
constexpr std::int64_t kFramesPerWorker = 8;
constexpr std::int64_t kBlockBytes = std::int64_t{64} << 20;

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error(fmt::format("{} cannot be created: {}", folder.string(), error.message()));
}

std::int64_t frame_bytes(const StackInfo& info) {
  return info.rows * info.columns * bytes_of(info.type);
}

void check_room(const fs::path& folder, std::int64_t bytes) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (error || space.available >= static_cast<std::uintmax_t>(bytes)) return;
  throw Error(fmt::format(
      "{} has room for {} MB, but the simulated frames need {} MB; choose another folder or fewer "
      "frames or tiles",
      folder.string(), space.available / 1'000'000, bytes / 1'000'000));
}

/// Writes the frames of one tile in order; blocks of them are computed on all workers.
void write_camera_file(const TrueTile& tile, DcimgSettings file, const fs::path& path,
                       const Executor& executor, Progress& progress) {
  const StackSimulator simulator(tile.stack);
  const StackInfo info = simulator.info();
  file.frames = info.frames;
  file.rows = info.rows;
  file.columns = info.columns;
  const std::int64_t size = info.rows * info.columns;
  const std::int64_t block = std::clamp<std::int64_t>(kBlockBytes / frame_bytes(info), executor.workers(),
                                                      kFramesPerWorker * executor.workers());
  std::vector<std::uint16_t> pixels(static_cast<std::size_t>(size * std::min(block, info.frames)));
  DcimgWriter writer(path, file);
  for (std::int64_t first = 0; first < info.frames; first += block) {
    const std::int64_t frames = std::min(block, info.frames - first);
    executor.parallel_for(frames, [&](std::int64_t n, int) {
      simulator.read(first + n, 0, {pixels.data() + n * size, info.rows, info.columns, info.columns});
    });
    for (std::int64_t n = 0; n < frames; ++n) {
      executor.cancel().check();
      writer.write({pixels.data() + n * size, info.rows, info.columns, info.columns});
    }
    progress.advance(frames * frame_bytes(info));
  }
  writer.close();
}

void write_description(const TrueTile& tile, const fs::path& path) {
  std::ofstream file(path, std::ios::binary);
  file << to_json(tile.stack) << '\n';
  file.close();
  if (!file) throw Error(fmt::format("{} cannot be written; is the disk full?", path.string()));
}

}  // namespace

SimulationReport simulate(const SimulationSettings& settings, const fs::path& output,
                          const Executor& executor, Progress& progress) {
  const std::vector<TrueTile> tiles = plan_simulation(settings);
  const StackInfo info = StackSimulator(tiles.front().stack).info();
  const auto stacks = static_cast<std::int64_t>(tiles.size());
  if (info.frames > (std::int64_t{1} << 62) / frame_bytes(info) / stacks)
    throw UsageError("the acquisition would have more than 2^62 bytes");
  SimulationReport report{stacks, stacks * info.frames, stacks * info.frames * frame_bytes(info)};
  make_folder(output);
  const bool camera_files = settings.files == SimulatedFiles::dcimg;
  if (camera_files) check_room(output, report.pixel_bytes);
  progress.begin("simulating", camera_files ? report.pixel_bytes : stacks);
  DcimgSettings file;
  file.version = settings.version;
  for (const TrueTile& tile : tiles) {
    const fs::path path = output / tile.file;
    make_folder(path.parent_path());
    executor.cancel().check();
    if (camera_files) {
      write_camera_file(tile, file, path, executor, progress);
    } else {
      write_description(tile, path);
      progress.advance(1);
    }
  }
  make_folder(output / "truth");
  detail::write_metadata(output, settings, tiles);
  detail::write_illumination(output / "truth", tiles.front().stack);
  detail::write_truth(output / "truth", settings, tiles);
  progress.end();
  if (!camera_files) report.pixel_bytes = 0;
  return report;
}

}  // namespace spim
