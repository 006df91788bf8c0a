// The suite of volume writers, continued: volumes that several instances write together.

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>

#include "conformance_suite.hpp"
#include "conformance_volumes.hpp"

namespace spim {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kParts = 3;

class NamedFiles final : public FileSink {
 public:
  void file(std::string_view path) override { names.emplace(path); }
  std::set<std::string> names;
};

/// A volume in parts.
class PartedVolume {
 public:
  PartedVolume(ConformanceSuite& suite, const VolumeSpec& spec, Index3 unit)
      : suite_(suite), spec_(spec), unit_(unit), path_(suite.fresh_path("parts")) {}

  const fs::path& path() const { return path_; }
  const std::set<std::string>& named() const { return named_.names; }

  std::unique_ptr<VolumeWriter> join(const std::string& task) {
    auto writer = create_writer(suite_.registry(), suite_.host(), suite_.selection(), path_);
    const std::string token = fmt::format("host-{}", ++tokens_);
    writer->join(spec_, {task.c_str(), token.c_str()});
    return writer;
  }

  /// Writes a part; with `most` no more than so many chunks of it, as a process that dies does.
  void write(std::uint64_t part, std::size_t most = ~std::size_t{0}) {
    std::vector<ChunkAddress> chunks = chunks_of(spec_);
    std::erase_if(chunks, [&](const ChunkAddress& chunk) { return part_of(chunk) != part; });
    const bool whole = most >= chunks.size();
    if (!whole) chunks.resize(most);
    const auto writer = join(fmt::format("sweep-{}", part));
    suite_.settings().executor->parallel_for(
        static_cast<std::int64_t>(chunks.size()), [&](std::int64_t i, int) {
          const ChunkAddress& chunk = chunks[static_cast<std::size_t>(i)];
          if (is_zero(chunk)) return writer->write_zero(chunk);
          const std::vector<std::uint16_t> voxels = voxels_of(spec_, chunk);
          writer->write(chunk, dense_view(voxels.data(), box_of(spec_, chunk).size()));
        });
    if (whole) writer->finish_part(named_);
  }

  void expect_read_back() {
    const auto writer = join("levels-1-0");
    for (const ChunkAddress& chunk : chunks_of(spec_)) {
      const Box box = box_of(spec_, chunk);
      std::vector<std::uint16_t> voxels(static_cast<std::size_t>(count(box.size())), 1);
      writer->read_back(chunk, dense_view(voxels.data(), box.size()));
      expect_part(voxels_of(spec_, chunk), box, voxels, box);
    }
  }

  void finish() {
    const auto writer = join("finish");
    writer->finish();
  }

  /// Every file with its bytes.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> files;
    if (fs::is_regular_file(path_)) throw Error("the parts make a file where a folder is expected");
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path_)) {
      if (entry.path().filename().string().starts_with(".part-"))
        throw Error(fmt::format("{} is left behind by finish()", entry.path().filename().string()));
      if (!entry.is_regular_file()) continue;
      std::ifstream stream(entry.path(), std::ios::binary);
      files[entry.path().lexically_relative(path_).generic_string()] = {
          std::istreambuf_iterator<char>(stream), {}};
    }
    return files;
  }

 private:
  std::uint64_t part_of(const ChunkAddress& chunk) const {
    const Index3 begin = box_of(spec_, chunk).begin;
    const Index3 unit{begin.x / unit_.x, begin.y / unit_.y, begin.z / unit_.z};
    return scramble(static_cast<std::uint64_t>(unit.x + 64 * unit.y + 4096 * unit.z + 262144 * chunk.level)) %
           kParts;
  }

  ConformanceSuite& suite_;
  VolumeSpec spec_;
  Index3 unit_;
  fs::path path_;
  NamedFiles named_;
  int tokens_ = 0;
};

void expect_same_files(const PartedVolume& a, const PartedVolume& b) {
  const auto first = a.files(), second = b.files();
  for (const auto& [name, bytes] : first) {
    const auto found = second.find(name);
    if (found == second.end() || found->second != bytes)
      throw Error(fmt::format("{} depends on the order or the number of tries of the parts", name));
  }
  if (first.size() != second.size()) throw Error("another order of the parts makes more files");
  for (const std::string& name : a.named())
    if (!first.contains(name)) throw Error(fmt::format("a part names the file {}, which is not there", name));
  if (a.named() != b.named()) throw Error("another order of the parts names other files");
}

void expect_pattern(ConformanceSuite& suite, const VolumeSpec& spec, const fs::path& path) {
  for (const Item& item : suite.registry().items(Kind::volume_reader)) {
    if (item.plugin != suite.item().plugin || checked_probe(*item.spec, path) == 0) continue;
    const auto reader = open_volume(suite.registry(), suite.host(), {item.spec->id, {}}, path);
    for (std::int32_t l = 0; l < spec.levels; ++l) {
      const Box whole{{}, level_shape(spec.shape, l)};
      const std::vector<std::uint16_t> voxels = read_box(*reader, l, whole);
      for (const ChunkAddress& chunk : chunks_of(spec))
        if (chunk.level == l) expect_part(voxels_of(spec, chunk), box_of(spec, chunk), voxels, whole);
    }
  }
}

void check_parts(ConformanceSuite& suite, VolumeSpec spec) {
  const auto writer =
      create_writer(suite.registry(), suite.host(), suite.selection(), suite.fresh_path("asked"));
  try {
    spec.chunk = writer->chunk_shape(spec);
  } catch (const Cancelled&) {
    throw;
  } catch (const Error& error) {
    throw SkippedCheck(fmt::format("the format does not hold such a volume: {}", error.what()));
  }
  const Index3 unit = writer->unit_shape(spec);
  if (unit == Index3{}) throw SkippedCheck("the format cannot be written in parts");
  PartedVolume quiet(suite, spec, unit), troubled(suite, spec, unit);
  for (std::uint64_t part = 0; part < kParts; ++part) quiet.write(part);
  quiet.expect_read_back();
  quiet.finish();
  expect_pattern(suite, spec, quiet.path());
  troubled.write(2);
  troubled.write(1, 5);  // and no more
  troubled.write(0);
  troubled.write(1);
  troubled.write(2);  // once more
  troubled.finish();
  troubled.finish();
  expect_same_files(quiet, troubled);
}

}  // namespace

void check_volume_parts(ConformanceSuite& suite) {
  suite.check("has the same files whatever the order and the tries of its parts", [&] {
    check_parts(suite, spec_of({65, 33, 49}, {16, 16, 16}, 3));
  });
  VolumeSpec bytes = spec_of({40, 50, 30}, {20, 7, 9}, 2);
  bytes.type = PixelType::u8;
  suite.check("has the same files for parts of uint8 voxels", [&] { check_parts(suite, bytes); });
}

}  // namespace spim
