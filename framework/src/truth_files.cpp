#include "truth_files.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "spim/error.hpp"
#include "spim/host/tiff_image.hpp"

namespace spim {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr char kFormat[] = "spimstitch-truth";

Json triple(Vec3 v) {
  return Json::array({v.x, v.y, v.z});
}
Json triple(Index3 v) {
  return Json::array({v.x, v.y, v.z});
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw Error(fmt::format("{} cannot be written; is the disk full?", path.string()));
}

Json settings_json(const SimulationSettings& s) {
  return {{"seed", s.seed},
          {"tiles", triple(s.tiles)},
          {"overlap", triple(s.overlap)},
          {"origin_um", triple(s.origin_um)},
          {"negative_y", s.negative_y},
          {"stage_error_um", triple(s.stage_error_um)},
          {"organ_size", s.organ_size},
          {"files", s.files == SimulatedFiles::dcimg ? "dcimg" : "simulated"},
          {"dcimg_version", fmt::format("{:#x}", static_cast<std::uint32_t>(s.version))}};
}

Vec3 vec3_of(const Json& json) {
  return {json.at(0).get<double>(), json.at(1).get<double>(), json.at(2).get<double>()};
}

TrueTile tile_of(const Json& json) {
  TrueTile tile;
  tile.channel = json.at("channel").get<std::string>();
  tile.file = json.at("file").get<std::string>();
  const Json& index = json.at("index");
  tile.index = {index.at(0).get<std::int64_t>(), index.at(1).get<std::int64_t>(),
                index.at(2).get<std::int64_t>()};
  tile.nominal_um = vec3_of(json.at("nominal_um"));
  tile.stage_um = json.contains("stage_um") ? vec3_of(json.at("stage_um")) : tile.nominal_um;
  tile.stack = stack_from_json(json.at("stack").dump());
  return tile;
}

}  // namespace

namespace detail {

std::int64_t tenths(double um) {
  return std::llround(um * 10);
}

void write_truth(const fs::path& folder, const SimulationSettings& settings,
                 const std::vector<TrueTile>& tiles) {
  Json json;
  json["format"] = kFormat;
  json["format_version"] = 1;
  json["settings"] = settings_json(settings);
  Json& stacks = json["stacks"] = Json::array();
  for (const TrueTile& tile : tiles)
    stacks.push_back({{"channel", tile.channel},
                      {"file", tile.file},
                      {"index", triple(tile.index)},
                      {"stage_um", triple(tile.stage_um)},
                      {"nominal_um", triple(tile.nominal_um)},
                      {"true_um", triple(tile.stack.position_um)},
                      {"error_um", triple(tile.error_um())},
                      {"stack", Json::parse(to_json(tile.stack))}});
  write_text(folder / "truth.json", json.dump(1) + "\n");
}

void write_illumination(const fs::path& folder, const SimulatedStack& stack) {
  const StackSimulator simulator(stack);
  OwnedImage<float> profile(stack.rows, stack.columns);
  for (std::int64_t i = 0; i < stack.rows; ++i)
    for (std::int64_t j = 0; j < stack.columns; ++j)
      profile.view().row(i)[j] =
          static_cast<float>(simulator.illumination(static_cast<double>(i), static_cast<double>(j)));
  write_tiff(folder / "illumination.tif", std::as_const(profile).view(), {});
}

void write_metadata(const fs::path& folder, const SimulationSettings& settings,
                    const std::vector<TrueTile>& tiles) {
  // The file is Latin-1: the micro sign is one byte.
  const StackInfo info = StackSimulator(tiles.front().stack).info();
  std::string text = "Obj\tRes\t\xb5m/pix\tX/Z Step (\xb5m)\t\t\r\n";
  text += fmt::format("Simulated\t{}\t{}\t{}\t\t\r\n", info.columns, settings.scan.y_voxel_um,
                      settings.scan.x_step_um);
  text += "Power\tLeft\tRight\t\t\t\r\n";
  for (const std::string& channel : settings.channels) {
    // Ex_488_Em_1: excited at 488 nm.
    const bool named = channel.starts_with("Ex_");
    const std::string wavelength = named ? channel.substr(3, channel.find('_', 3) - 3) : "0";
    text += fmt::format("{}\t20\t20\t\t\t\r\n", wavelength);
  }
  text += "X\tY\tZ\tLaser\tSide\tExposure\r\n";
  for (const TrueTile& tile : tiles)
    text += fmt::format("{:06d}\t{:06d}\t{}\t{}\t0\t2\r\n", tenths(tile.stage_um.x), tenths(tile.stage_um.y),
                        tenths(tile.stage_um.z), tile.stack.phantom.channel + 1);
  write_text(folder / "metadata.txt", text);
}

}  // namespace detail

std::vector<TrueTile> read_truth(const fs::path& folder) {
  const fs::path path = folder / "truth" / "truth.json";
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error(
        fmt::format("{} cannot be opened; give the folder that spimstitch simulate wrote", path.string()));
  std::vector<TrueTile> tiles;
  try {
    const Json json = Json::parse(file);
    if (json.at("format") != kFormat || json.at("format_version") != 1)
      throw Error("it is of another format or version");
    for (const Json& stack : json.at("stacks")) {
      tiles.push_back(tile_of(stack));
      StackSimulator{tiles.back().stack};  // throws when a number is impossible
    }
  } catch (const Json::exception& error) {
    throw Error(fmt::format("{} is damaged: {}", path.string(), error.what()));
  } catch (const Error& error) {
    throw Error(fmt::format("{} is damaged: {}", path.string(), error.what()));
  }
  if (tiles.empty()) throw Error(fmt::format("{} is damaged: it has no stacks", path.string()));
  return tiles;
}

}  // namespace spim
