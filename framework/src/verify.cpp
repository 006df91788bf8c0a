#include "spim/host/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "spim/error.hpp"

namespace spim {

namespace {

/// Reasons that are remembered so that none is told twice; a volume that is damaged in more ways is told in
/// full.
constexpr std::size_t kMostReasons = 100'000;

/// Counts damage and hands it on, one thread at a time.
class Findings {
 public:
  explicit Findings(const DamageSink& sink) : sink_(sink) {}

  /// `text` is a sentence of the instances of instances.hpp: "box … of level 2: chunk 2/0/1 is cut short", or
  /// "box … of level 2 of PATH: …" where the reader names no file.
  void add(const std::string& unit, const std::string& text) {
    const std::lock_guard lock(mutex_);
    ++damaged_;
    std::string reason = text;
    bool names_file = true;
    if (reason.starts_with("box (")) {
      // What is about a unit is said by the unit.
      const auto end = reason.find(": ");
      names_file = reason.substr(0, end).find(" of level ") == reason.substr(0, end).rfind(" of ");
      if (end != std::string::npos) reason.erase(0, end + 2);
    }
    if (names_file && reasons_.size() < kMostReasons && !reasons_.insert(reason).second) return;
    sink_({unit, reason});
  }
  std::int64_t damaged() const noexcept { return damaged_; }

 private:
  const DamageSink& sink_;
  std::mutex mutex_;
  std::set<std::string> reasons_;
  std::int64_t damaged_ = 0;
};

/// One buffer per worker, made when it is first needed.
class Buffers {
 public:
  Buffers(int workers, std::int64_t samples)
      : buffers_(static_cast<std::size_t>(workers)), samples_(static_cast<std::size_t>(samples)) {}
  std::uint16_t* of(int worker) {
    auto& buffer = buffers_[static_cast<std::size_t>(worker)];
    if (!buffer) buffer.reset(new std::uint16_t[samples_]);
    return buffer.get();
  }

 private:
  std::vector<std::unique_ptr<std::uint16_t[]>> buffers_;
  std::size_t samples_;
};

/// As many of the workers as have room for a unit of `samples`: decoded, as stored, and as bytes.
Executor executor_for(const VerifySettings& settings, std::int64_t samples) {
  const std::int64_t each = std::max<std::int64_t>(1, 3 * 2 * samples);
  const std::int64_t fit = std::max<std::int64_t>(1, settings.memory_bytes / each);
  const int workers = settings.executor->workers();
  return Executor(static_cast<int>(std::min<std::int64_t>(fit, workers)), settings.executor->cancel());
}

/// Does one unit; what it throws is damage, but for the user's wish to stop.
template <class Unit, class Work>
void try_unit(Findings& findings, Unit&& unit, Work&& work) {
  try {
    work();
  } catch (const Cancelled&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    findings.add(unit(), error.what());
  }
}

/// Why a file is not what was written; "" when it is.
std::string fault_of(const std::filesystem::path& path, const FileSum& written) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return "is missing";
  try {
    const FileSum now = file_sum(path);
    if (now.bytes != written.bytes)
      return fmt::format("has {} bytes, but {} were written", now.bytes, written.bytes);
    if (now.crc != written.crc)
      return fmt::format("has the checksum {:08x}, but {:08x} was written", now.crc, written.crc);
  } catch (const Error& failure) {
    return fmt::format("cannot be read: {}", failure.what());
  }
  return "";
}

std::int64_t stored_bytes(VolumeReader& reader) {
  std::int64_t bytes = 0;
  for (std::int32_t l = 0; l < reader.info().levels; ++l) bytes += count(reader.level(l).shape);
  return bytes * bytes_of(reader.info().type);
}

void verify_level(VolumeReader& reader, std::int32_t level, const VerifySettings& settings,
                  Findings& findings) {
  const LevelInfo info = reader.level(level);
  const Index3 chunk = min(info.chunk, info.shape);
  const Index3 grid = ceil_div(info.shape, info.chunk);
  const std::int64_t sample_bytes = bytes_of(reader.info().type);
  const Executor executor = executor_for(settings, count(chunk));
  Buffers buffers(executor.workers(), count(chunk));
  executor.parallel_for(count(grid), [&](std::int64_t i, int worker) {
    const Index3 at{i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y};
    const Index3 begin{at.x * info.chunk.x, at.y * info.chunk.y, at.z * info.chunk.z};
    const Box box{begin, min(begin + info.chunk, info.shape)};
    try_unit(
        findings, [&] { return fmt::format("level {}, chunk ({},{},{})", level, at.x, at.y, at.z); },
        [&] { reader.read(level, box, dense_view(buffers.of(worker), box.size())); });
    settings.progress->advance(count(box.size()) * sample_bytes);
  });
}

}  // namespace

VerifyReport verify_volume(VolumeReader& reader, const VerifySettings& settings, const DamageSink& sink) {
  Findings findings(sink);
  VerifyReport report;
  report.bytes = stored_bytes(reader);
  settings.progress->begin("decoding", report.bytes);
  for (std::int32_t l = 0; l < reader.info().levels; ++l) {
    verify_level(reader, l, settings, findings);
    report.units += count(ceil_div(reader.level(l).shape, reader.level(l).chunk));
  }
  settings.progress->end();
  report.damaged = findings.damaged();
  return report;
}

std::vector<FileDamage> verify_files(const std::filesystem::path& root, std::span<const StoredFile> files,
                                     const VerifySettings& settings) {
  std::int64_t bytes = 0;
  for (const StoredFile& file : files) bytes += file.sum.bytes;
  settings.progress->begin("comparing checksums", bytes);
  std::mutex mutex;
  std::vector<FileDamage> found;
  settings.executor->parallel_for(static_cast<std::int64_t>(files.size()), [&](std::int64_t i, int) {
    const StoredFile& file = files[static_cast<std::size_t>(i)];
    if (std::string reason = fault_of(stored_place(root, file.path), file.sum); !reason.empty()) {
      const std::lock_guard lock(mutex);
      found.push_back({static_cast<std::size_t>(i), std::move(reason)});
    }
    settings.progress->advance(file.sum.bytes);
  });
  settings.progress->end();
  std::ranges::sort(found, {}, &FileDamage::file);
  return found;
}

VerifyReport verify_frames(FrameReader& reader, const VerifySettings& settings, const DamageSink& sink) {
  const StackInfo info = reader.info();
  const std::int64_t samples = info.rows * info.columns;
  Findings findings(sink);
  if (info.declared > info.frames)
    findings.add(fmt::format("frames {} to {}", info.frames, info.declared - 1),
                 fmt::format("the file is cut short: {} of {} frames are whole; copy it again", info.frames,
                             info.declared));
  const Executor executor = executor_for(settings, samples);
  Buffers buffers(executor.workers(), samples);
  VerifyReport report{info.declared, 0, info.frames * samples * bytes_of(info.type)};
  settings.progress->begin("decoding", report.bytes);
  executor.parallel_for(info.frames, [&](std::int64_t frame, int worker) {
    try_unit(
        findings, [&] { return fmt::format("frame {}", frame); },
        [&] {
          reader.read(frame, 0, {buffers.of(worker), info.rows, info.columns, info.columns});
          (void)reader.stamp(frame);
        });
    settings.progress->advance(samples * bytes_of(info.type));
  });
  settings.progress->end();
  // Frames that are not there count each.
  report.damaged = findings.damaged();
  if (info.declared > info.frames) report.damaged += info.declared - info.frames - 1;
  return report;
}

}  // namespace spim
