#include "spim/host/search_path.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "words.hpp"

namespace spim {
namespace fs = std::filesystem;
namespace {

/// Folders directly inside `parent` whose names satisfy `wanted`, sorted.
template <class Wanted>
std::vector<fs::path> folders_in(const fs::path& parent, Wanted wanted) {
  std::vector<fs::path> result;
  std::error_code failed;
  for (fs::directory_iterator it(parent, failed), end; !failed && it != end; it.increment(failed)) {
    std::error_code unknown;
    if (wanted(it->path().filename().string()) && it->is_directory(unknown)) result.push_back(it->path());
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// Plugin folders of the installation that `executable` belongs to. Found again after the prefix was moved.
std::vector<fs::path> installed_folders(const fs::path& executable) {
  std::error_code failed;
  const fs::path program = fs::canonical(executable, failed);
  if (failed) return {};
  const fs::path ours = fs::path("spimstitch") / fmt::format("abi-{}", kAbi);
  std::vector<fs::path> result;
  const auto add = [&](const fs::path& library_folder) {
    std::error_code unknown;
    if (fs::is_directory(library_folder / ours, unknown)) result.push_back(library_folder / ours);
  };
  const fs::path prefix = program.parent_path().parent_path();
  for (const fs::path& folder :
       folders_in(prefix, [](const auto& name) { return name.starts_with("lib"); })) {
    add(folder);
    for (const auto& machine :
         folders_in(folder, [](const auto& name) { return name.ends_with("-linux-gnu"); }))
      add(machine);
  }
  return result;
}

}  // namespace

SearchPath search_path(const SearchPathSources& sources) {
  SearchPath result;
  const auto add = [&](const fs::path& folder) {
    if (std::find(result.folders.begin(), result.folders.end(), folder) == result.folders.end())
      result.folders.push_back(folder);
  };
  for (const fs::path& folder : sources.plugin_dirs) {
    std::error_code unknown;
    if (!fs::is_directory(folder, unknown))
      throw UsageError(fmt::format("plugin folder {} does not exist; correct --plugin-dir", folder.string()));
    add(fs::canonical(folder));
  }
  for (const std::string& folder : split(sources.environment, ':'))
    if (!folder.empty())
      add(fs::path(folder).is_absolute() ? fs::weakly_canonical(folder) : fs::path(folder));
  if (!sources.executable.empty())
    for (const fs::path& folder : installed_folders(sources.executable)) add(folder);
  return result;
}

}  // namespace spim
