#pragma once
/// The folders in which a program looks for plugins.

#include <filesystem>
#include <string_view>
#include <vector>

#include "spim/host/registry.hpp"

namespace spim {

/// What the search path is made of, in this order.
struct SearchPathSources {
  std::vector<std::filesystem::path> plugin_dirs;  ///< given with --plugin-dir; may be relative
  std::string_view environment;                    ///< SPIMSTITCH_PLUGIN_PATH: absolute, separated by ':'
  std::filesystem::path executable;                ///< the running program; its folders are searched if known
};

/// The search path: the given folders, those of the environment, then every existing
/// `<executable>/../../lib*/spimstitch/abi-N` (and `lib*/<machine>-linux-gnu/spimstitch/abi-N`). Throws
/// UsageError when a folder of --plugin-dir does not exist.
SearchPath search_path(const SearchPathSources& sources);

}  // namespace spim
