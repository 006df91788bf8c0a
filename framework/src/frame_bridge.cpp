#include "spim/host/frame_bridge.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spim/error.hpp"
#include "spim/host/executor.hpp"

namespace spim {

namespace {

/// Frames are tried in pieces of about this size.
constexpr std::int64_t kPieceBytes = 256 * 1024;

class ZerosForSkipped final : public FrameSource {
 public:
  ZerosForSkipped(std::unique_ptr<FrameSource> frames, std::shared_ptr<FrameBridge> bridge,
                  std::int64_t start)
      : frames_(std::move(frames)), bridge_(std::move(bridge)), start_(start) {}

  StackShape shape() const override { return frames_->shape(); }
  PixelType type() const override { return frames_->type(); }
  LoadCost cost() const override { return frames_->cost(); }

  void load(std::int64_t frame, FrameCorner first, BlockedView out) override {
    if (!is_skipped(frame)) return frames_->load(frame, first, out);
    for (std::int64_t y = 0; y < out.y_count; y += BlockedView::kRows)
      for (std::int64_t z = 0; z < out.z_count; ++z)
        std::fill_n(&out.at(z, y), std::min(BlockedView::kRows, out.y_count - y), std::uint16_t{0});
  }

  void load_rows(std::int64_t frame, FrameCorner first, ImageView<std::uint16_t> out) override {
    if (!is_skipped(frame)) return frames_->load_rows(frame, first, out);
    for (std::int64_t i = 0; i < out.rows; ++i) std::fill_n(out.row(i), out.columns, std::uint16_t{0});
  }

 private:
  bool is_skipped(std::int64_t frame) { return bridge_->source_of(start_ + frame) == BadFrames::kZeros; }

  std::unique_ptr<FrameSource> frames_;
  std::shared_ptr<FrameBridge> bridge_;
  std::int64_t start_;
};

}  // namespace

FrameBridge::FrameBridge(std::shared_ptr<FrameReader> reader, BridgeSettings settings,
                         std::shared_ptr<BadFrameLog> log)
    : reader_(std::move(reader)),
      settings_(std::move(settings)),
      log_(std::move(log)),
      info_(reader_->info()) {
  whole_ = info_.frames;
  if (settings_.on_bad_frame == OnBadFrame::fail) return;
  const std::int64_t frames = std::max(settings_.frames, whole_);
  if (frames - whole_ > whole_)
    throw Error(fmt::format(
        "{}: {} of {} frames are beyond its end, and no more than half of them are bridged; copy the file "
        "again, or use --allow-truncated to go on without them",
        settings_.file, frames - whole_, frames));
  info_.frames = info_.declared = frames;
  states_ = std::vector<std::atomic<State>>(static_cast<std::size_t>(frames));
}

void FrameBridge::read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) {
  if (settings_.on_bad_frame == OnBadFrame::fail) {
    try {
      return reader_->read(frame, first_row, out);
    } catch (const Cancelled&) {
      throw;
    } catch (const UsageError&) {
      throw;
    } catch (const Error& error) {
      throw Error(fmt::format(
          "{}; restore the file, or give --on-bad-frame skip or previous to go on without such frames",
          error.what()));
    }
  }
  const std::int64_t source = source_of(frame);
  if (source != BadFrames::kZeros) return reader_->read(source, first_row, out);
  for (std::int64_t i = 0; i < out.rows; ++i) std::fill_n(out.row(i), out.columns, std::uint16_t{0});
}

FrameStamp FrameBridge::stamp(std::int64_t frame) {
  if (settings_.on_bad_frame == OnBadFrame::fail) return reader_->stamp(frame);
  if (frame >= whole_) return {};
  try {
    return reader_->stamp(frame);
  } catch (const Cancelled&) {
    throw;
  } catch (const Error&) {
    return {};
  }
}

std::int64_t FrameBridge::source_of(std::int64_t frame) {
  if (settings_.on_bad_frame == OnBadFrame::fail || is_good(frame)) return frame;
  const std::int64_t instead =
      settings_.on_bad_frame == OnBadFrame::skip ? BadFrames::kZeros : nearest_good(frame);
  if (log_) log_->add({settings_.file, frame, frame, info_.frames, instead, fault_of(frame)});
  return instead;
}

std::int64_t FrameBridge::nearest_good(std::int64_t frame) {
  for (std::int64_t f = frame - 1; f >= 0; --f)
    if (is_good(f)) return f;
  std::int64_t next = frame + 1;  // there is one: mark_bad() lets no more than half of them be bad
  while (!is_good(next)) ++next;
  return next;
}

bool FrameBridge::is_good(std::int64_t frame) {
  if (frame >= whole_) return false;
  std::atomic<State>& state = states_[static_cast<std::size_t>(frame)];
  if (const State known = state.load(); known != State::unknown) return known == State::good;
  const std::int64_t rows =
      std::clamp<std::int64_t>(kPieceBytes / std::max<std::int64_t>(info_.columns * 2, 1), 1, info_.rows);
  const auto piece =
      std::make_unique_for_overwrite<std::uint16_t[]>(static_cast<std::size_t>(rows * info_.columns));
  try {
    for (std::int64_t row = 0; row < info_.rows; row += rows)
      reader_->read(frame, row,
                    {piece.get(), std::min(rows, info_.rows - row), info_.columns, info_.columns});
  } catch (const Cancelled&) {
    throw;
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    mark_bad(frame, error.what());
    return false;
  }
  state = State::good;
  return true;
}

std::string FrameBridge::fault_of(std::int64_t frame) const {
  if (frame < whole_) {
    const std::lock_guard lock(mutex_);
    return reasons_.at(frame);
  }
  return fmt::format("the file is cut short: only {} of {} frames are whole", whole_, info_.frames);
}

void FrameBridge::mark_bad(std::int64_t frame, std::string reason) {
  const std::lock_guard lock(mutex_);
  reasons_.try_emplace(frame, reason);
  states_[static_cast<std::size_t>(frame)] = State::bad;
  const std::int64_t bad = info_.frames - whole_ + static_cast<std::int64_t>(reasons_.size());
  if (bad > info_.frames - bad)
    throw Error(fmt::format(
        "{}: at least {} of {} frames cannot be read, and no more than half of them are bridged; restore the "
        "file, or leave the tile out; frame {}: {}",
        settings_.file, bad, info_.frames, frame, reason));
}

std::unique_ptr<FrameSource> zeros_for_skipped(std::unique_ptr<FrameSource> frames,
                                               std::shared_ptr<FrameBridge> bridge, std::int64_t start) {
  return std::make_unique<ZerosForSkipped>(std::move(frames), std::move(bridge), start);
}

}  // namespace spim
