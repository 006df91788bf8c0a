#pragma once
/// What a run does with what: written down when it begins, compared when it goes on.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "spim/host/config.hpp"
#include "spim/host/task_layout.hpp"

namespace spim {

/// How a camera file, or a folder of frames, is recognised as the same.
struct InputFile {
  std::string path;  ///< absolute
  std::int64_t bytes = 0;
  std::int64_t modified_ns = 0;  ///< since 1970
  std::uint32_t head = 0;        ///< CRC-32C of its first 64 KiB; of a folder, of the names and lengths in it
  std::uint32_t samples = 0;     ///< CRC-32C of 64 blocks of 512 bytes all over the file, its end among them
};

/// Looks at a file or folder. Throws Error.
InputFile look_at_input(const std::filesystem::path& path);

/// Everything that decides the bits of the output.
struct RunPlan {
  Configuration choices;                       ///< completed; nothing of terminal, memory or threads
  std::map<std::string, std::string> plugins;  ///< "writer zarr": "zarr 0.1.0"
  std::vector<InputFile> inputs;
};

/// As JSON.
std::string plan_text(const RunPlan& plan);

/// What differs between the text of a plan and one of now, as people would say it, for a sentence; "" when
/// nothing does. `stored` comes from a file; Throws Error naming `source` when it is no plan.
std::string plan_difference(const std::string& stored, const std::string& now, const std::string& source);

/// What keeps pieces of a volume from being made again as `stored` says, in words; "" when nothing does: the
/// version of the program and the plugins of `now`, and the inputs by length, first bytes and samples. A copy
/// of an input is as good as the input: times are not compared. Throws Error when `stored` is no plan.
std::string plan_obstacle(const std::string& stored, const RunPlan& now, const std::string& source);

/// The shape of the tasks as JSON, and back. Throws Error naming `source` when it is damaged.
std::string task_shape_text(const TaskShape& shape);
TaskShape parse_task_shape(const std::string& text, const std::string& source);

}  // namespace spim
