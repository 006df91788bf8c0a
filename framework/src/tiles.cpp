#include "spim/host/tiles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <tuple>

#include "spim/error.hpp"

namespace spim {

namespace fs = std::filesystem;

namespace {

constexpr const char* kLayout = "the layout is <x>/<x>_<y>/<z> in tenths of a micrometre";

/// A stage is not a kilometre long: anything above is no coordinate, and products cannot overflow.
constexpr std::int64_t kLargestTenths = 10'000'000'000;

/// A position as the names spell it, tenths of a micrometre.
struct Tenths {
  std::int64_t x, y, z;
  friend auto operator<=>(const Tenths&, const Tenths&) = default;
};

/// A tile with its exact position.
struct Found {
  Tenths at;
  fs::path path;
};

std::optional<std::int64_t> coordinate(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value > kLargestTenths || value < -kLargestTenths) return std::nullopt;
  return value;
}

Error misnamed(const fs::path& path, std::string_view wanted) {
  return Error(fmt::format("{}: the name is not {}; {}, so rename it or move it out of the way",
                           path.string(), wanted, kLayout));
}

/// Entries of `folder` that are not hidden, in the order of their names.
std::vector<fs::directory_entry> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::directory_entry> result;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error))
    if (!i->path().filename().string().starts_with('.')) result.push_back(*i);
  if (error) throw Error(fmt::format("{}: cannot be listed: {}", folder.string(), error.message()));
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<fs::path> subfolders(const fs::path& folder, const TileTest& is_stray_tile) {
  std::vector<fs::path> result;
  for (const fs::directory_entry& entry : entries(folder)) {
    if (entry.is_directory())
      result.push_back(entry.path());
    else if (is_stray_tile(entry.path()))
      throw Error(
          fmt::format("{}: the file is not in a folder of its position; {}", entry.path().string(), kLayout));
  }
  return result;
}

/// What is looked for in the folders <x>/<x>_<y>.
struct Search {
  TileTest is_stray_tile;  ///< a file where only folders should be
  /// Adds what `folder` of position (x, y) holds.
  std::function<void(const fs::path& folder, Tenths at, std::vector<Found>& found)> visit;
  std::string_view wanted;  ///< for messages, e.g. "camera file"
};

Tenths position_of_folder(const fs::path& folder, std::int64_t parent_x) {
  const std::string name = folder.filename().string();
  const auto bar = name.find('_');
  const auto x = coordinate(std::string_view(name).substr(0, bar));
  const auto y = bar == std::string::npos ? std::nullopt : coordinate(std::string_view(name).substr(bar + 1));
  if (!x || !y) throw misnamed(folder, "a pair of coordinates <x>_<y>");
  if (*x != parent_x)
    throw Error(fmt::format("{}: x {} in the name contradicts x {} of its parent folder; rename one of them",
                            folder.string(), *x, parent_x));
  return {*x, *y, 0};
}

std::vector<TilePath> find_tiles(const fs::path& root, const Search& search) {
  std::error_code error;
  if (!fs::is_directory(root, error))
    throw Error(
        fmt::format("{}: {}", root.string(), fs::exists(root, error) ? "is not a folder" : "does not exist"));
  std::vector<Found> found;
  for (const fs::path& x_folder : subfolders(root, search.is_stray_tile)) {
    const auto x = coordinate(x_folder.filename().string());
    if (!x) throw misnamed(x_folder, "a coordinate <x>");
    for (const fs::path& folder : subfolders(x_folder, search.is_stray_tile)) {
      const std::size_t before = found.size();
      search.visit(folder, position_of_folder(folder, *x), found);
      if (found.size() == before)
        throw Error(fmt::format("{}: holds no {}; restore the missing tile or remove the folder",
                                folder.string(), search.wanted));
    }
  }
  if (found.empty())
    throw Error(fmt::format("{}: there is no {} below it; {}", root.string(), search.wanted, kLayout));
  std::sort(found.begin(), found.end(),
            [](const Found& a, const Found& b) { return std::tie(a.at, a.path) < std::tie(b.at, b.path); });
  std::vector<TilePath> tiles;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Tenths at = found[i].at;
    if (i > 0 && at == found[i - 1].at)
      throw Error(fmt::format("{} and {} have the same position; remove one of them",
                              found[i - 1].path.string(), found[i].path.string()));
    const auto um = [](std::int64_t tenths) { return static_cast<double>(tenths) / 10; };
    tiles.push_back({found[i].path, {um(at.x), um(at.y), um(at.z)}});
  }
  return tiles;
}

/// z of a tile's name, which some formats end in several parts such as 0.camera.raw.
std::int64_t z_of(const fs::path& tile) {
  const std::string name = tile.filename().string();
  const auto z = coordinate(std::string_view(name).substr(0, name.find('.')));
  if (!z) throw misnamed(tile, "a coordinate <z>");
  return *z;
}

}  // namespace

bool is_dcimg_name(const fs::path& file) {
  std::string extension = file.extension().string();
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return extension == ".dcimg";
}

std::vector<TilePath> find_camera_tiles(const fs::path& root, const TileTest& is_camera_file) {
  const auto visit = [&](const fs::path& folder, Tenths at, std::vector<Found>& found) {
    for (const fs::directory_entry& entry : entries(folder))
      if (is_camera_file(entry.path())) found.push_back({{at.x, at.y, z_of(entry.path())}, entry.path()});
  };
  return find_tiles(root, {is_camera_file, visit, "camera file"});
}

std::vector<TilePath> find_volume_tiles(const fs::path& root, const TileTest& is_volume) {
  const auto visit = [&](const fs::path& folder, Tenths at, std::vector<Found>& found) {
    for (const fs::directory_entry& entry : entries(folder)) {
      const bool volume = is_volume(entry.path());
      if (!volume && !entry.is_directory()) continue;
      const std::int64_t z = z_of(entry.path());
      if (!volume)
        throw Error(fmt::format("{}: holds no volume; convert its camera file again or remove the folder",
                                entry.path().string()));
      found.push_back({{at.x, at.y, z}, entry.path()});
    }
  };
  return find_tiles(root, {is_volume, visit, "converted volume"});
}

std::vector<Vec3> missing_positions(const std::vector<TilePath>& tiles) {
  std::set<double> xs, ys, zs;
  std::set<std::tuple<double, double, double>> present;
  for (const TilePath& tile : tiles) {
    xs.insert(tile.stage_um.x);
    ys.insert(tile.stage_um.y);
    zs.insert(tile.stage_um.z);
    present.emplace(tile.stage_um.x, tile.stage_um.y, tile.stage_um.z);
  }
  std::vector<Vec3> missing;
  for (const double x : xs)
    for (const double y : ys)
      for (const double z : zs)
        if (!present.contains({x, y, z})) missing.push_back({x, y, z});
  return missing;
}

std::string position_text(Vec3 stage_um) {
  const auto tenths = [](double um) { return std::llround(um * 10); };
  return fmt::format("x {}, y {}, z {}", tenths(stage_um.x), tenths(stage_um.y), tenths(stage_um.z));
}

}  // namespace spim
