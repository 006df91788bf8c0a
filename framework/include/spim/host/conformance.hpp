#pragma once
/// What every plugin must do, tried out on one plugin.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "spim/host/config.hpp"
#include "spim/host/executor.hpp"
#include "spim/host/registry.hpp"

namespace spim {

enum class Outcome { passed, failed, skipped };

/// One behaviour of one item.
struct ConformanceCheck {
  std::string item;  ///< e.g. "writer zarr"
  std::string name;  ///< the behaviour, e.g. "reads back what was written"
  Outcome outcome = Outcome::passed;
  std::string message;  ///< why it failed or was skipped
};

struct ConformanceSettings {
  Host* host = nullptr;
  const Executor* executor = nullptr;  ///< that of the host; runs the checks that use several threads
  std::filesystem::path scratch;       ///< an existing folder; everything written stays inside
  std::filesystem::path sample;        ///< a good file or folder for the readers; empty for none
  Selections selections;  ///< options for the items of a kind; an id restricts them to the item of that id
  /// Called before each check: a plugin may end the process, and the last check called says in what.
  std::function<void(const ConformanceCheck&)> started;
};

/// Runs the suite of its kind on each item of `plugin`, which belongs to `registry` and was accepted. What an
/// item throws is a failed check; throws only Cancelled, and Error when `scratch` cannot be used.
std::vector<ConformanceCheck> check_plugin(const Registry& registry, const PluginRecord& plugin,
                                           const ConformanceSettings& settings);

}  // namespace spim
