#pragma once
/// Stores no voxels: counts and checksums them, for measuring everything but the disk and for comparing runs.

#include <atomic>
#include <filesystem>
#include <memory>
#include <vector>

#include "spim/options.hpp"
#include "spim/volume_writer.hpp"

namespace spim::null {

/// A number for the voxels of one chunk at its place: 0 if all are zero, so that it does not matter how an
/// empty chunk was announced; otherwise a 64-bit hash of address, extents and voxels. Their sum over a volume
/// is independent of the order of chunks. Not made to resist anybody who looks for collisions.
std::uint64_t chunk_checksum(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels);

/// Writes one small JSON file with what it counted.
class NullWriter final : public VolumeWriter {
 public:
  NullWriter(Host& host, const Options& options, std::string_view path);

  Index3 chunk_shape(const VolumeSpec& spec) const override;
  void begin(const VolumeSpec& spec) override;
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override;
  void write_zero(const ChunkAddress& chunk) override;
  void finish() override;
  void describe(MetadataSink& sink) override;

 private:
  struct Counters {
    std::atomic<std::int64_t> chunks{0}, zero_chunks{0}, voxels{0};
    std::atomic<std::uint64_t> checksum{0};
  };

  std::filesystem::path path_;
  VolumeSpec spec_;
  std::vector<std::unique_ptr<Counters>> levels_;
};

}  // namespace spim::null
