#include <fmt/format.h>

#include "plausible.hpp"
#include "recipe.hpp"
#include "spim/host/instances.hpp"

namespace spim {
namespace {

bool same(const LevelInfo& a, const LevelInfo& b) {
  return a.shape == b.shape && a.chunk == b.chunk && a.voxel_um == b.voxel_um && a.origin_um == b.origin_um;
}

/// A volume reader of any plugin that may be used from any thread.
class SharedVolumeReader final : public VolumeReader {
 public:
  explicit SharedVolumeReader(Recipe recipe) : pool_(std::move(recipe)) {
    pool_.use([] { return std::string(); }, [this](VolumeReader& reader) { learn(reader); });
    pool_.set_check([this](VolumeReader& reader) { compare(reader); });
  }

  VolumeInfo info() const override { return info_; }

  LevelInfo level(std::int32_t level) const override {
    require_level(level);
    return levels_[static_cast<std::size_t>(level)];
  }

  void read(std::int32_t level, const Box& box, VolumeView<std::uint16_t> out) override {
    require_level(level);
    const Index3 shape = levels_[static_cast<std::size_t>(level)].shape;
    if (box.empty()) return;
    if (!contains({{}, shape}, box) || out.size != box.size() || out.stride_y < out.size.x ||
        out.stride_z < out.stride_y)
      throw Error(fmt::format("box {} was asked for in level {} of {}, which has the shape {} x {} x {}",
                              text(box), level, pool_.origin().path, shape.x, shape.y, shape.z));
    pool_.use([&] { return fmt::format("box {} of level {}", text(box), level); },
              [&](VolumeReader& reader) { reader.read(level, box, out); });
  }

  void describe(MetadataSink& sink) override {
    pool_.use([] { return std::string(); }, [&](VolumeReader& reader) { reader.describe(sink); });
  }

 private:
  static std::string text(const Box& box) {
    return fmt::format("({},{},{})-({},{},{})", box.begin.x, box.begin.y, box.begin.z, box.end.x, box.end.y,
                       box.end.z);
  }

  void require_level(std::int32_t level) const {
    if (level < 0 || level >= info_.levels)
      throw Error(fmt::format("level {} was asked for in {}, which has {} levels", level, pool_.origin().path,
                              info_.levels));
  }

  void learn(VolumeReader& reader) {
    info_ = reader.info();
    if (const std::string fault = volume_fault(info_); !fault.empty())
      blame(pool_.origin(), "", "it " + fault);
    for (std::int32_t l = 0; l < info_.levels; ++l) {
      levels_.push_back(reader.level(l));
      if (const std::string fault = level_fault(levels_.back()); !fault.empty())
        blame(pool_.origin(), fmt::format("level {}", l), "it " + fault);
    }
  }

  void compare(VolumeReader& reader) const {
    const VolumeInfo other = reader.info();
    bool equal = other.type == info_.type && other.levels == info_.levels && other.channels == info_.channels;
    for (std::int32_t l = 0; equal && l < info_.levels; ++l)
      equal = same(reader.level(l), levels_[static_cast<std::size_t>(l)]);
    if (!equal)
      throw Error("it describes the volume differently when it is opened again; was the volume changed?");
  }

  InstancePool<VolumeReader> pool_;
  VolumeInfo info_;
  std::vector<LevelInfo> levels_;
};

}  // namespace

std::unique_ptr<VolumeReader> open_volume(const Registry& registry, Host& host, const Selection& selection,
                                          const std::filesystem::path& path) {
  return std::make_unique<SharedVolumeReader>(
      make_reader_recipe(registry, host, Kind::volume_reader, selection, path));
}

}  // namespace spim
