#include <fmt/format.h>

#include "plausible.hpp"
#include "recipe.hpp"
#include "spim/host/instances.hpp"

namespace spim {
namespace {

bool same(const StackInfo& a, const StackInfo& b) {
  return a.frames == b.frames && a.declared == b.declared && a.rows == b.rows && a.columns == b.columns &&
         a.type == b.type;
}

/// A frame reader of any plugin that may be used from any thread.
class SharedFrameReader final : public FrameReader {
 public:
  explicit SharedFrameReader(Recipe recipe) : pool_(std::move(recipe)) {
    info_ = pool_.use(nowhere, [](FrameReader& reader) { return reader.info(); });
    if (const std::string fault = stack_fault(info_); !fault.empty())
      blame(pool_.origin(), "", "it " + fault);
    pool_.set_check([this](FrameReader& reader) {
      if (!same(reader.info(), info_))
        throw Error("it describes the stack differently when it is opened again; was the file changed?");
    });
  }

  StackInfo info() const override { return info_; }

  void read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) override {
    require_frame(frame);
    if (first_row < 0 || out.rows < 0 || first_row > info_.rows - out.rows || out.columns != info_.columns ||
        out.row_stride < out.columns)
      throw Error(fmt::format(
          "{} rows of {} columns from row {} on were asked for in {}, which has frames of {} x {}", out.rows,
          out.columns, first_row, pool_.origin().path, info_.rows, info_.columns));
    if (out.rows == 0) return;
    pool_.use([&] { return place(frame); }, [&](FrameReader& reader) { reader.read(frame, first_row, out); });
  }

  FrameStamp stamp(std::int64_t frame) override {
    require_frame(frame);
    return pool_.use([&] { return place(frame); }, [&](FrameReader& reader) { return reader.stamp(frame); });
  }

  void describe(MetadataSink& sink) override {
    pool_.use(nowhere, [&](FrameReader& reader) { reader.describe(sink); });
  }

 private:
  static std::string nowhere() { return ""; }
  static std::string place(std::int64_t frame) { return fmt::format("frame {}", frame); }

  void require_frame(std::int64_t frame) const {
    if (frame < 0 || frame >= info_.frames)
      throw Error(fmt::format("frame {} was asked for in {}, which has {} frames", frame, pool_.origin().path,
                              info_.frames));
  }

  InstancePool<FrameReader> pool_;
  StackInfo info_;
};

}  // namespace

std::unique_ptr<FrameReader> open_frames(const Registry& registry, Host& host, const Selection& selection,
                                         const std::filesystem::path& path) {
  return std::make_unique<SharedFrameReader>(
      make_reader_recipe(registry, host, Kind::frame_reader, selection, path));
}

}  // namespace spim
