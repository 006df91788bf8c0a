#pragma once
/// Finds plugins, reads what they say of themselves before running anything of theirs, and loads them.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "spim/plugin.hpp"

namespace spim {

/// A library that was found, whether or not it may be used.
struct PluginRecord {
  std::filesystem::path path;
  std::string name, version, vendor, toolchain;
  std::uint32_t abi = 0;
  std::string refusal;  ///< one sentence with the remedy; empty when the plugin was accepted
  const PluginManifest* manifest = nullptr;  ///< null when refused
};

/// One implementation that can be chosen.
struct Item {
  const ItemSpec* spec = nullptr;
  const PluginRecord* plugin = nullptr;
};

/// A choice made by the user: which implementation, and the options that were given (as text).
struct Selection {
  std::string id;  ///< empty: by probing (readers) or the command's default
  std::map<std::string, std::string> options;
};

/// Word for a kind on the command line and in files: reader, volume-reader, writer, destripe, aligner.
std::string_view kind_word(Kind kind) noexcept;

/// Folders in the order in which they are searched; the first plugin of a name wins.
struct SearchPath {
  std::vector<std::filesystem::path> folders;
};

class Registry {
 public:
  explicit Registry(const SearchPath& path);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry();

  const std::vector<std::unique_ptr<PluginRecord>>& plugins() const noexcept { return plugins_; }
  std::vector<Item> items(Kind kind) const;
  /// Throws UsageError naming the known ones, the nearest, and refused plugins, when there is none called
  /// `id`.
  Item find(Kind kind, std::string_view id) const;

 private:
  std::vector<std::unique_ptr<PluginRecord>> plugins_;
};

}  // namespace spim
