// Writes and reads volumes by the plugins' own classes, for tests in other languages. One argument, a JSON
// object:
//   {"do":"write", "format":…, "path":…, "shape":[x,y,z], "chunk":[x,y,z], "levels":n, "type":"uint8|uint16",
//    "voxel_um":[…], "origin_um":[…], "name":…, "threads":n, "options":{…}, "raw":PREFIX}
//   {"do":"read", "format":…, "path":…, "options":{…}, "raw":PREFIX}
// Voxels are in PREFIX.<level>: uint16 little endian, index order z,y,x. Reading prints what the reader says
// of the levels as JSON.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "plugins/writers/blockfs/blockfs_reader.hpp"
#include "plugins/writers/blockfs/blockfs_writer.hpp"
#include "plugins/writers/precomputed/precomputed_reader.hpp"
#include "plugins/writers/precomputed/precomputed_writer.hpp"
#include "plugins/writers/zarr/zarr_reader.hpp"
#include "plugins/writers/zarr/zarr_writer.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"
#include "support/temporary_folder.hpp"
#include "support/volume_round_trip.hpp"

namespace {

using nlohmann::json;
using namespace spim;

Index3 index3(const json& v) {
  return {v.at(0), v.at(1), v.at(2)};
}
Vec3 vec3(const json& v) {
  return {v.at(0), v.at(1), v.at(2)};
}
json triple(Index3 v) {
  return {v.x, v.y, v.z};
}
json triple(Vec3 v) {
  return {v.x, v.y, v.z};
}

std::string raw_name(const json& job, std::int32_t level) {
  return fmt::format("{}.{}", job.at("raw").get<std::string>(), level);
}

using Given = std::map<std::string, std::string>;

template <class Format>
std::unique_ptr<Format> make(Host& host, const Given& given, const std::string& path) {
  const test::TableOptions options(Format::kOptions, given);
  return std::make_unique<Format>(host, options.options(), path);
}

std::unique_ptr<VolumeWriter> make_writer(const json& job, Host& host) {
  const std::string path = job.at("path"), format = job.at("format");
  const Given given = job.value("options", Given{});
  if (format == "blockfs") return make<blockfs::BlockfsWriter>(host, given, path);
  if (format == "precomputed") return make<precomputed::PrecomputedWriter>(host, given, path);
  return make<zarr::ZarrWriter>(host, given, path);
}

std::unique_ptr<VolumeReader> make_reader(const json& job, Host& host) {
  const std::string path = job.at("path"), format = job.at("format");
  const Given given = job.value("options", Given{});
  if (format == "blockfs") return std::make_unique<blockfs::BlockfsReader>(host, Options{}, path);
  if (format == "precomputed") return make<precomputed::PrecomputedReader>(host, given, path);
  return make<zarr::ZarrReader>(host, given, path);
}

void write(const json& job, Host& host) {
  const std::string name = job.value("name", "");
  const auto writer = make_writer(job, host);
  VolumeSpec spec;
  spec.shape = index3(job.at("shape"));
  spec.chunk = index3(job.value("chunk", json{0, 0, 0}));
  spec.levels = job.value("levels", 1);
  spec.type = job.value("type", "uint16") == "uint8" ? PixelType::u8 : PixelType::u16;
  spec.voxel_um = vec3(job.value("voxel_um", json{1, 1, 1}));
  spec.origin_um = vec3(job.value("origin_um", json{0, 0, 0}));
  spec.name = name.c_str();
  std::vector<std::string> raw;
  for (std::int32_t level = 0; level < spec.levels; ++level)
    raw.push_back(test::read_file(raw_name(job, level)));
  const auto voxel = [&](std::int32_t level, Index3 at) {
    const Index3 shape = level_shape(spec.shape, level);
    std::uint16_t v = 0;
    std::memcpy(
        &v, raw.at(static_cast<std::size_t>(level)).data() + 2 * ((at.z * shape.y + at.y) * shape.x + at.x),
        2);
    return v;
  };
  test::write_volume(*writer, spec, voxel, job.value("threads", 1));
}

void read(const json& job, Host& host) {
  const auto reader = make_reader(job, host);
  json levels = json::array();
  for (std::int32_t level = 0; level < reader->info().levels; ++level) {
    const LevelInfo info = reader->level(level);
    std::string voxels(static_cast<std::size_t>(count(info.shape)) * 2, '\0');
    reader->read(level, {{0, 0, 0}, info.shape},
                 dense_view(reinterpret_cast<std::uint16_t*>(voxels.data()), info.shape));
    test::write_file(raw_name(job, level), voxels);
    levels.push_back({{"shape", triple(info.shape)},
                      {"chunk", triple(info.chunk)},
                      {"voxel_um", triple(info.voxel_um)},
                      {"origin_um", triple(info.origin_um)}});
  }
  test::Described described;
  reader->describe(described);
  const json said{{"channels", reader->info().channels},
                  {"type", reader->info().type == PixelType::u8 ? "uint8" : "uint16"},
                  {"levels", levels},
                  {"described", described.values}};
  std::printf("%s\n", said.dump().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const json job = json::parse(argc == 2 ? argv[1] : "");
    test::RecordingHost host;
    if (job.at("do") == "write")
      write(job, host);
    else
      read(job, host);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
