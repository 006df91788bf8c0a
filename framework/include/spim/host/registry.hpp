#pragma once
/// Finds plugins, reads what they say of themselves before running anything of theirs, and loads them.

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spim/plugin.hpp"

namespace spim {

/// A library (or a folder) that was found, whether or not it may be used.
struct PluginRecord {
  std::filesystem::path path;
  std::string name, version, vendor, toolchain;
  std::uint32_t abi = 0;
  std::string refusal;  ///< one sentence with the remedy; empty when the plugin was accepted
  const PluginManifest* manifest = nullptr;  ///< null when refused
  /// One per item of the manifest: held while a thread is inside an item that is declared singleton.
  std::vector<std::shared_ptr<std::mutex>> gates;
};

/// One implementation that can be chosen. What it points to lives as long as the registry.
struct Item {
  const ItemSpec* spec = nullptr;
  const PluginRecord* plugin = nullptr;
  std::shared_ptr<std::mutex> gate = nullptr;
};

/// A choice made by the user: which implementation, and the options that were given (as text).
struct Selection {
  std::string id;  ///< empty: by probing (readers) or the command's default
  std::map<std::string, std::string> options;
};

/// Word for a kind on the command line and in files: reader, volume-reader, writer, destripe, aligner.
/// Empty for a number that is no kind.
std::string_view kind_word(Kind kind) noexcept;
std::optional<Kind> kind_of_word(std::string_view word) noexcept;

inline constexpr Kind kAllKinds[] = {Kind::frame_reader, Kind::volume_reader, Kind::volume_writer,
                                     Kind::destriper, Kind::aligner};

/// Where plugins are looked for, in this order; the first plugin of a name, and the first item of a kind and
/// id, wins. See search_path.hpp for the path of the program.
struct SearchPath {
  /// Absolute; all files *.so directly inside. World-writable ones are refused.
  std::vector<std::filesystem::path> folders = {};
  /// Single libraries, before the folders.
  std::vector<std::filesystem::path> files = {};
};

/// The plugins of a process: create one and keep it (a singleton item is one per registry).
class Registry {
 public:
  /// Loads what can be loaded; never throws because of a plugin: the others are records with a refusal.
  explicit Registry(const SearchPath& path);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry();

  /// In the order found, refused ones too.
  const std::vector<std::unique_ptr<PluginRecord>>& plugins() const noexcept { return plugins_; }
  /// Sorted by id.
  std::vector<Item> items(Kind kind) const;
  /// Throws UsageError naming the known ones, the nearest, and refused plugins, when there is none called
  /// `id`.
  Item find(Kind kind, std::string_view id) const;
  /// The refusals as one text for the end of a message, begun with "; ", or "".
  std::string refusals() const;

 private:
  void add_folder(const std::filesystem::path& folder);
  void add_file(const std::filesystem::path& file);
  void accept(PluginRecord& record) const;

  std::vector<std::unique_ptr<PluginRecord>> plugins_;
};

}  // namespace spim
