#include "nrrd_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace nrrd_writer {
namespace {

/// Shortest text that reads back as the same number, whatever the locale.
std::string text(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

std::string triple(spim::Vec3 v) {
  return std::string("(")
      .append(text(v.x))
      .append(",")
      .append(text(v.y))
      .append(",")
      .append(text(v.z))
      .append(")");
}

/// Bytes of a level; throws when a file cannot be that large.
std::int64_t checked_bytes(spim::Index3 shape, spim::PixelType type) {
  std::int64_t bytes = spim::bytes_of(type);
  for (const std::int64_t side : {shape.x, shape.y, shape.z})
    if (side < 1 || __builtin_mul_overflow(bytes, side, &bytes))
      throw spim::Error("the volume is empty or larger than a file can be; write a part with --output-size");
  return bytes;
}

}  // namespace

RawFile::RawFile(std::string path, std::int64_t bytes)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) throw spim::Error(path_ + " cannot be created: " + std::strerror(errno));
  if (::ftruncate(descriptor_, bytes) != 0) {
    const int reason = errno;
    ::close(descriptor_);
    throw spim::Error(path_ + " cannot grow to " + std::to_string(bytes) +
                      " bytes: " + std::strerror(reason));
  }
}

RawFile::~RawFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RawFile::write(std::int64_t offset, const void* from, std::int64_t bytes) {
  const auto* at = static_cast<const char*>(from);
  while (bytes > 0) {
    const auto put = ::pwrite(descriptor_, at, static_cast<std::size_t>(bytes), offset);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw spim::Error(path_ + " cannot be written: " + std::strerror(errno));
    at += put;
    offset += put;
    bytes -= put;
  }
}

void RawFile::close() {
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0) throw spim::Error(path_ + " cannot be closed: " + std::strerror(errno));
}

Writer::Writer(spim::Host&, const spim::Options& options, std::string_view path)
    : folder_(path), unit_um_(options.text("units") == "mm" ? 1000 : 1), unit_(options.text("units")) {}

// The format has no chunks of its own; long rows make few, large writes.
spim::Index3 Writer::chunk_shape(const spim::VolumeSpec& spec) const {
  return {spec.chunk.x > 0 ? spec.chunk.x : 256, spec.chunk.y > 0 ? spec.chunk.y : 64,
          spec.chunk.z > 0 ? spec.chunk.z : 64};
}

void Writer::begin(const spim::VolumeSpec& spec) {
  spec_ = spec;
  name_ = spec.name;
  std::replace_if(
      name_.begin(), name_.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  std::filesystem::create_directory(folder_);
  for (std::int32_t i = 0; i < spec.levels; ++i) {
    auto level = std::make_unique<Level>();
    level->shape = spim::level_shape(spec.shape, i);
    const std::int64_t bytes = checked_bytes(level->shape, spec.type);
    level->file = std::make_unique<RawFile>(folder_ + "/level_" + std::to_string(i) + ".raw", bytes);
    bytes_ += bytes;
    levels_.push_back(std::move(level));
  }
}

// Called from many threads at once: each chunk has bytes of its own in the file.
void Writer::write(const spim::ChunkAddress& chunk, spim::VolumeView<const std::uint16_t> voxels) {
  Level& to = level(chunk.level);
  const spim::Index3 first{chunk.index.x * spec_.chunk.x, chunk.index.y * spec_.chunk.y,
                           chunk.index.z * spec_.chunk.z};
  const std::int64_t sample = spim::bytes_of(spec_.type);
  std::vector<std::uint8_t> narrow(spec_.type == spim::PixelType::u8 ? static_cast<std::size_t>(voxels.size.x)
                                                                     : 0);
  for (std::int64_t z = 0; z < voxels.size.z; ++z)
    for (std::int64_t y = 0; y < voxels.size.y; ++y) {
      const std::uint16_t* row = voxels.row(y, z);
      const void* bytes = row;
      if (!narrow.empty()) {
        std::transform(row, row + voxels.size.x, narrow.begin(), [](std::uint16_t v) {
          return static_cast<std::uint8_t>(std::min<std::uint16_t>(v, 255));
        });
        bytes = narrow.data();
      }
      const std::int64_t at = ((first.z + z) * to.shape.y + first.y + y) * to.shape.x + first.x;
      to.file->write(at * sample, bytes, voxels.size.x * sample);
    }
  ++to.chunks;
}

void Writer::write_zero(const spim::ChunkAddress& chunk) {
  ++level(chunk.level).chunks;  // the file is zero where nothing was written
}

// The headers come last: a viewer opens the headers, so until all samples are in there is nothing to open.
void Writer::finish() {
  for (const auto& level : levels_) {
    const std::int64_t expected = spim::count(spim::ceil_div(level->shape, spec_.chunk));
    if (level->chunks != expected)
      throw spim::Error(folder_ + " is not complete: " + std::to_string(level->chunks) + " of " +
                        std::to_string(expected) + " chunks of a level have arrived");
  }
  for (const auto& level : levels_) level->file->close();
  for (std::int32_t i = 0; i < spec_.levels; ++i) {
    const std::string path = folder_ + "/level_" + std::to_string(i) + ".nhdr";
    std::ofstream file(path, std::ios::binary);
    file << header(i);
    file.close();
    if (!file) throw spim::Error(path + " cannot be written: " + std::strerror(errno));
  }
}

/// NRRD, version 4; voxel centres of level i sit at origin + pitch·(2^i − 1)/2 of level 0.
std::string Writer::header(std::int32_t index) const {
  const spim::Index3 shape = spim::level_shape(spec_.shape, index);
  const double factor = static_cast<double>(std::int64_t{1} << index);
  const auto pitch = [&](double um) { return um * factor / unit_um_; };
  const auto centre = [&](double origin, double um) { return (origin + um * (factor - 1) / 2) / unit_um_; };
  const spim::Vec3 origin{centre(spec_.origin_um.x, spec_.voxel_um.x),
                          centre(spec_.origin_um.y, spec_.voxel_um.y),
                          centre(spec_.origin_um.z, spec_.voxel_um.z)};
  const std::string quoted = "\"" + unit_ + "\"";
  std::string lines = "NRRD0004\n";
  lines += "content: " + name_ + "\n";
  lines += spec_.type == spim::PixelType::u8 ? "type: uint8\n" : "type: uint16\nendian: little\n";
  lines += "dimension: 3\nsizes: " + std::to_string(shape.x) + " " + std::to_string(shape.y) + " " +
           std::to_string(shape.z) + "\n";
  lines += "space dimension: 3\nspace units: " + quoted + " " + quoted + " " + quoted + "\n";
  lines += "space directions: " + triple({pitch(spec_.voxel_um.x), 0, 0}) + " " +
           triple({0, pitch(spec_.voxel_um.y), 0}) + " " + triple({0, 0, pitch(spec_.voxel_um.z)}) + "\n";
  lines += "space origin: " + triple(origin) + "\n";
  lines += "encoding: raw\ndata file: level_" + std::to_string(index) + ".raw\n";
  return lines;
}

void Writer::describe(spim::MetadataSink& sink) {
  sink.text("format", "NRRD, detached headers");
  sink.integer("bytes", bytes_);
}

}  // namespace nrrd_writer
