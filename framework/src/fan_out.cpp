#include "spim/host/fan_out.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "spim/error.hpp"

namespace spim {

namespace {

/// Puts the prefix of a branch in front of what it names.
class PrefixedFiles final : public FileSink {
 public:
  PrefixedFiles(const std::string& prefix, FileSink& files) : prefix_(prefix), files_(files) {}
  void file(std::string_view path) override { files_.file(prefix_ + std::string(path)); }

 private:
  const std::string& prefix_;
  FileSink& files_;
};

/// The least number of voxels that is made of whole units of both; all chunks of an axis where that is more
/// than there are.
std::int64_t common_unit(std::int64_t a, std::int64_t b, std::int64_t extent, std::int64_t chunk) noexcept {
  const std::int64_t whole = ceil_div(extent, chunk) * chunk;
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a / std::gcd(a, b), b, &product)) return whole;
  return std::min(product, whole);
}

class FanOut final : public VolumeWriter {
 public:
  explicit FanOut(std::vector<FanOutBranch> branches) : branches_(std::move(branches)) {}

  Index3 chunk_shape(const VolumeSpec& spec) const override {
    VolumeSpec chosen = spec;
    chosen.chunk = first().chunk_shape(spec);
    for (const FanOutBranch& branch : branches_)
      if (const Index3 chunk = branch.writer->chunk_shape(chosen); chunk != chosen.chunk)
        throw UsageError(fmt::format(
            "formats that are written together must have the same chunks, but one takes {} x {} x {} voxels "
            "and another {} x {} x {}; choose a --chunk-size that both take",
            chosen.chunk.x, chosen.chunk.y, chosen.chunk.z, chunk.x, chunk.y, chunk.z));
    return chosen.chunk;
  }

  void begin(const VolumeSpec& spec) override {
    for (FanOutBranch& branch : branches_) branch.writer->begin(spec);
  }
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override {
    for (FanOutBranch& branch : branches_) branch.writer->write(chunk, voxels);
  }
  void write_zero(const ChunkAddress& chunk) override {
    for (FanOutBranch& branch : branches_) branch.writer->write_zero(chunk);
  }
  void finish() override {
    for (FanOutBranch& branch : branches_) branch.writer->finish();
  }
  void describe(MetadataSink& sink) override { first().describe(sink); }

  std::int32_t most_channels() const override {
    std::int32_t most = std::numeric_limits<std::int32_t>::max();
    for (const FanOutBranch& branch : branches_) most = std::min(most, branch.writer->most_channels());
    return most;
  }
  std::int64_t memory_bytes(const VolumeSpec& spec) const override {
    std::int64_t bytes = 0;
    for (const FanOutBranch& branch : branches_)
      if (__builtin_add_overflow(bytes, branch.writer->memory_bytes(spec), &bytes))
        return std::numeric_limits<std::int64_t>::max();
    return bytes;
  }

  Index3 unit_shape(const VolumeSpec& spec) const override {
    Index3 common = spec.chunk;
    for (const FanOutBranch& branch : branches_) {
      const Index3 unit = branch.writer->unit_shape(spec);
      if (unit == Index3{}) return {};
      common = {common_unit(common.x, unit.x, spec.shape.x, spec.chunk.x),
                common_unit(common.y, unit.y, spec.shape.y, spec.chunk.y),
                common_unit(common.z, unit.z, spec.shape.z, spec.chunk.z)};
    }
    return common;
  }
  void join(const VolumeSpec& spec, const PartName& part) override {
    for (FanOutBranch& branch : branches_) branch.writer->join(spec, part);
  }
  void finish_part(FileSink& files) override {
    for (FanOutBranch& branch : branches_) {
      PrefixedFiles prefixed(branch.prefix, files);
      branch.writer->finish_part(prefixed);
    }
  }
  void read_back(const ChunkAddress& chunk, VolumeView<std::uint16_t> voxels) override {
    first().read_back(chunk, voxels);
  }

 private:
  VolumeWriter& first() const { return *branches_.front().writer; }

  std::vector<FanOutBranch> branches_;
};

}  // namespace

std::unique_ptr<VolumeWriter> fan_out(std::vector<FanOutBranch> branches) {
  return std::make_unique<FanOut>(std::move(branches));
}

}  // namespace spim
