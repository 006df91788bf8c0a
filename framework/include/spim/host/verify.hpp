#pragma once
/// Decodes everything that is stored and says what cannot be.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "spim/frame_reader.hpp"
#include "spim/host/executor.hpp"
#include "spim/host/progress.hpp"
#include "spim/host/run_folder.hpp"
#include "spim/volume_reader.hpp"

namespace spim {

/// A unit that is damaged: a chunk of a level, or a frame.
struct Damage {
  std::string unit;    ///< "level 2, chunk (3,0,1)" or "frame 17"; counted from 0
  std::string reason;  ///< one sentence that names the file, if the reader does
};

/// Receives damage as it is found. [any thread, one at a time]
using DamageSink = std::function<void(const Damage& damage)>;

struct VerifySettings {
  const Executor* executor = nullptr;
  Progress* progress = nullptr;
  std::int64_t memory_bytes = 0;  ///< fewer workers are used where their chunks do not fit; one always is
};

struct VerifyReport {
  std::int64_t units = 0;    ///< chunks of all levels, or frames
  std::int64_t damaged = 0;  ///< of them; those of one damaged file may share a line
  std::int64_t bytes = 0;    ///< decoded
};

/// Reads every chunk of every level of `reader` (which may be used from any thread). Where several chunks
/// fail for the same reason, word by word, in a file that it names (an index of a shard), the first alone is
/// reported. Chunks that are absent are zero by the definition of formats, not damaged. Throws Cancelled.
VerifyReport verify_volume(VolumeReader& reader, const VerifySettings& settings, const DamageSink& sink);

/// Reads every frame and its stamp. A stack that declares more frames than it holds is damaged, too.
VerifyReport verify_frames(FrameReader& reader, const VerifySettings& settings, const DamageSink& sink);

/// A stored file that is not as it was written.
struct FileDamage {
  std::size_t file = 0;  ///< index
  std::string reason;    ///< "is missing", for a sentence
};

/// Reads the files, below `root` or with absolute paths, and compares them with their lengths and checksums.
/// Damage comes in the order of the files. Throws Cancelled.
std::vector<FileDamage> verify_files(const std::filesystem::path& root, std::span<const StoredFile> files,
                                     const VerifySettings& settings);

}  // namespace spim
