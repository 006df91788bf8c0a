#include "spim/host/registry.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "item_table.hpp"
#include "plugin_library.hpp"
#include "spim/host/manifest_file.hpp"
#include "spim/host/nearest.hpp"

namespace spim {
namespace fs = std::filesystem;
namespace {

/// Throws when everybody may change `path` (a file, or a folder in which files could be put).
void refuse_world_writable(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    throw Error(fmt::format("{} cannot be read: {}", path.string(), std::strerror(errno)));
  if ((status.st_mode & S_IWOTH) != 0)
    throw Error(
        fmt::format("{} can be written by everybody (mode {:04o}); take the permission away with chmod "
                    "o-w",
                    path.string(), status.st_mode & 07777U));
}

/// Libraries directly inside `folder`, sorted, so that the order does not depend on the file system.
std::vector<fs::path> libraries_in(const fs::path& folder) {
  std::vector<fs::path> result;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".so") result.push_back(entry.path());
  std::sort(result.begin(), result.end());
  return result;
}

void check_folder(const fs::path& folder) {
  if (!folder.is_absolute())
    throw Error(fmt::format("plugin folder {} is not searched because it is relative; give an absolute path",
                            folder.string()));
  std::error_code unknown;
  if (!fs::is_directory(folder, unknown))
    throw Error(fmt::format("plugin folder {} does not exist; correct the search path", folder.string()));
  refuse_world_writable(folder);
}

}  // namespace

std::string_view kind_word(Kind kind) noexcept {
  switch (kind) {
    case Kind::frame_reader:
      return "reader";
    case Kind::volume_reader:
      return "volume-reader";
    case Kind::volume_writer:
      return "writer";
    case Kind::destriper:
      return "destripe";
    case Kind::aligner:
      return "aligner";
  }
  return {};
}

std::optional<Kind> kind_of_word(std::string_view word) noexcept {
  for (const Kind kind : kAllKinds)
    if (kind_word(kind) == word) return kind;
  return std::nullopt;
}

Registry::Registry(const SearchPath& path) {
  for (const fs::path& file : path.files) add_file(file);
  for (const fs::path& folder : path.folders) add_folder(folder);
}

Registry::~Registry() = default;

void Registry::add_folder(const fs::path& folder) {
  try {
    check_folder(folder);
    for (const fs::path& file : libraries_in(folder)) add_file(file);
  } catch (const std::exception& e) {
    auto record = std::make_unique<PluginRecord>();
    record->path = folder;
    record->refusal = e.what();
    plugins_.push_back(std::move(record));
  }
}

void Registry::add_file(const fs::path& file) {
  auto record = std::make_unique<PluginRecord>();
  record->path = file;
  try {
    record->path = fs::absolute(file);
    accept(*record);
  } catch (const std::exception& e) {
    record->manifest = nullptr;
    record->refusal = e.what();
  }
  plugins_.push_back(std::move(record));
}

/// Reads the manifest from the file, and loads the library only if nothing speaks against it.
void Registry::accept(PluginRecord& record) const {
  const std::string file = record.path.string();
  refuse_world_writable(record.path);
  const ManifestText text = read_manifest(record.path);
  record.name = text.name;
  record.version = text.version;
  record.vendor = text.vendor;
  record.toolchain = text.toolchain;
  record.abi = text.abi;
  if (const std::string refusal = manifest_refusal(text, file); !refusal.empty()) throw Error(refusal);
  for (const auto& other : plugins_)
    if (other->manifest && other->name == record.name)
      throw Error(
          fmt::format("{} ({} {}) is not used because {} brings a plugin of that name ({}) and comes "
                      "first; remove one of them",
                      file, record.name, record.version, other->path.string(), other->version));

  const PluginManifest& manifest = load_plugin_library(record.path);
  if (manifest.header.abi != record.abi || text.name != manifest.header.name ||
      manifest.header.size != text.size)
    throw Error(
        fmt::format("{} exports another manifest than its section {} shows; build it again with "
                    "SPIM_EXPORT_PLUGIN",
                    file, kManifestSection));
  if (const std::string fault = item_table_fault(manifest); !fault.empty())
    throw Error(fmt::format("{} ({} {}) has an invalid table: {}; correct the plugin", file, record.name,
                            record.version, fault));
  for (std::uint64_t i = 0; i < manifest.item_count; ++i)
    for (const Item& known : items(manifest.items[i].kind))
      if (std::string_view(known.spec->id) == manifest.items[i].id)
        throw Error(
            fmt::format("{} ({} {}) is not used because its {} {} exists already in {}; remove one of "
                        "them or rename the item",
                        file, record.name, record.version, kind_word(known.spec->kind), known.spec->id,
                        known.plugin->path.string()));
  for (std::uint64_t i = 0; i < manifest.item_count; ++i)
    record.gates.push_back(std::make_shared<std::mutex>());
  record.manifest = &manifest;
}

std::vector<Item> Registry::items(Kind kind) const {
  std::vector<Item> result;
  for (const auto& plugin : plugins_)
    for (std::uint64_t i = 0; plugin->manifest && i < plugin->manifest->item_count; ++i)
      if (plugin->manifest->items[i].kind == kind)
        result.push_back({&plugin->manifest->items[i], plugin.get(), plugin->gates[i]});
  std::sort(result.begin(), result.end(), [](const Item& a, const Item& b) {
    return std::string_view(a.spec->id) < std::string_view(b.spec->id);
  });
  return result;
}

Item Registry::find(Kind kind, std::string_view id) const {
  std::vector<std::string> known;
  for (const Item& item : items(kind)) {
    if (id == item.spec->id) return item;
    known.emplace_back(item.spec->id);
  }
  throw UsageError(
      fmt::format("there is no {} '{}'; {}{}", kind_word(kind), id, nearest_hint(id, known), refusals()));
}

std::string Registry::refusals() const {
  std::string result;
  for (const auto& plugin : plugins_)
    if (!plugin->refusal.empty()) result += "; refused: " + plugin->refusal;
  return result;
}

}  // namespace spim
