#pragma once
/// Loads shared libraries. The only place that knows how.

#include <filesystem>

#include "spim/plugin.hpp"

namespace spim {

/// Loads the plugin `path` (absolute) for the rest of the process and returns its manifest. Throws Error with
/// the system's reason and the remedy.
const PluginManifest& load_plugin_library(const std::filesystem::path& path);

}  // namespace spim
