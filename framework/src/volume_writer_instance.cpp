#include <fmt/format.h>

#include "plausible.hpp"
#include "recipe.hpp"
#include "spim/error.hpp"
#include "spim/host/instances.hpp"

namespace spim {
namespace {

/// Says what was being done, for messages.
auto at(const char* what) {
  return [what] { return std::string(what); };
}

/// A volume writer of any plugin that may be used from any thread.
class SharedVolumeWriter final : public VolumeWriter {
 public:
  explicit SharedVolumeWriter(Recipe recipe) : pool_(std::move(recipe), Sharing::one_instance) {}

  Index3 chunk_shape(const VolumeSpec& spec) const override {
    if (const std::string fault = spec_fault(spec); !fault.empty())
      throw Error("the volume to write " + fault);
    refuse_channels(spec);
    const Index3 chunk = pool_.use(at("choice of the chunk shape"),
                                   [&](VolumeWriter& writer) { return writer.chunk_shape(spec); });
    if (const std::string fault = chunk_fault(chunk); !fault.empty())
      blame(pool_.origin(), "", "it " + fault);
    return chunk;
  }

  void begin(const VolumeSpec& spec) override {
    if (const std::string fault = spec_fault(spec); !fault.empty())
      throw Error("the volume to write " + fault);
    refuse_channels(spec);
    pool_.use(at("begin of the volume"), [&](VolumeWriter& writer) { writer.begin(spec); });
  }

  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override {
    pool_.use([&] { return place(chunk); }, [&](VolumeWriter& writer) { writer.write(chunk, voxels); });
  }

  void write_zero(const ChunkAddress& chunk) override {
    pool_.use([&] { return place(chunk); }, [&](VolumeWriter& writer) { writer.write_zero(chunk); });
  }

  void finish() override {
    pool_.use(at("end of the volume"), [](VolumeWriter& writer) { writer.finish(); });
  }

  std::int32_t most_channels() const override {
    return pool_.use(at("number of channels"), [](VolumeWriter& writer) { return writer.most_channels(); });
  }

  void describe(MetadataSink& sink) override {
    pool_.use(at("report"), [&](VolumeWriter& writer) { writer.describe(sink); });
  }

  std::int64_t memory_bytes(const VolumeSpec& spec) const override {
    const std::int64_t bytes = pool_.use(at("estimate of its memory"),
                                         [&](VolumeWriter& writer) { return writer.memory_bytes(spec); });
    if (bytes < 0) blame(pool_.origin(), "", fmt::format("it wants {} bytes of memory", bytes));
    return bytes;
  }

  Index3 unit_shape(const VolumeSpec& spec) const override {
    const Index3 unit =
        pool_.use(at("choice of the unit"), [&](VolumeWriter& writer) { return writer.unit_shape(spec); });
    if (unit == Index3{}) return unit;
    const auto fits = [](std::int64_t whole, std::int64_t piece) { return whole > 0 && whole % piece == 0; };
    if (!fits(unit.x, spec.chunk.x) || !fits(unit.y, spec.chunk.y) || !fits(unit.z, spec.chunk.z))
      blame(
          pool_.origin(), "",
          fmt::format("its unit of {} x {} x {} voxels is no multiple of its chunk", unit.x, unit.y, unit.z));
    return unit;
  }

  void join(const VolumeSpec& spec, const PartName& part) override {
    if (const std::string fault = spec_fault(spec); !fault.empty())
      throw Error("the volume to write " + fault);
    pool_.use(at("begin of a part"), [&](VolumeWriter& writer) { writer.join(spec, part); });
  }

  void finish_part(FileSink& files) override {
    pool_.use(at("end of a part"), [&](VolumeWriter& writer) { writer.finish_part(files); });
  }

  void read_back(const ChunkAddress& chunk, VolumeView<std::uint16_t> voxels) override {
    pool_.use([&] { return place(chunk); }, [&](VolumeWriter& writer) { writer.read_back(chunk, voxels); });
  }

 private:
  static std::string place(const ChunkAddress& chunk) {
    return fmt::format("chunk ({},{},{}) of level {}{}", chunk.index.x, chunk.index.y, chunk.index.z,
                       chunk.level, chunk.channel > 0 ? fmt::format(" of channel {}", chunk.channel) : "");
  }

  void refuse_channels(const VolumeSpec& spec) const {
    const std::int32_t most = most_channels();
    if (spec.channel_count > most)
      throw UsageError(
          fmt::format("writer {} holds {} channel{} and {} were to be written; write a volume of "
                      "each, or choose a writer for several such as zarr",
                      pool_.origin().id, most, most == 1 ? "" : "s", spec.channel_count));
  }

  mutable InstancePool<VolumeWriter> pool_;
};

}  // namespace

std::unique_ptr<VolumeWriter> create_writer(const Registry& registry, Host& host, const Selection& selection,
                                            const std::filesystem::path& path) {
  return std::make_unique<SharedVolumeWriter>(
      make_recipe(registry, host, Kind::volume_writer, selection, path));
}

}  // namespace spim
