#pragma once
/// Volumes as NRRD: one raw file and one detached header per level. See README.md.

#include <atomic>
#include <memory>
#include <spim/plugin.hpp>
#include <string>
#include <vector>

namespace nrrd_writer {

/// The samples of one level, x fastest. Rows may be written from any thread, in any order.
class RawFile {
 public:
  /// Creates a file of `bytes` zeros that take no room on the disk yet. Throws spim::Error.
  RawFile(std::string path, std::int64_t bytes);
  ~RawFile();
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  /// Throws spim::Error, on a full disk too. [any thread]
  void write(std::int64_t offset, const void* from, std::int64_t bytes);
  /// Closes the file; throws spim::Error when the system has lost something (network folders report it here).
  void close();

 private:
  std::string path_;
  int descriptor_;
};

class Writer final : public spim::VolumeWriter {
 public:
  Writer(spim::Host& host, const spim::Options& options, std::string_view path);

  spim::Index3 chunk_shape(const spim::VolumeSpec& spec) const override;
  void begin(const spim::VolumeSpec& spec) override;
  void write(const spim::ChunkAddress& chunk, spim::VolumeView<const std::uint16_t> voxels) override;
  void write_zero(const spim::ChunkAddress& chunk) override;
  void finish() override;
  void describe(spim::MetadataSink& sink) override;

 private:
  struct Level {
    spim::Index3 shape;
    std::unique_ptr<RawFile> file;
    std::atomic<std::int64_t> chunks{0};  // that have arrived
  };

  Level& level(std::int32_t index) { return *levels_.at(static_cast<std::size_t>(index)); }
  std::string header(std::int32_t index) const;

  std::string folder_;
  double unit_um_;  // micrometres of one unit in the headers
  std::string unit_;
  spim::VolumeSpec spec_;
  std::string name_;  // spec_.name is borrowed
  std::vector<std::unique_ptr<Level>> levels_;
  std::int64_t bytes_ = 0;
};

}  // namespace nrrd_writer
