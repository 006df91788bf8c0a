#pragma once
/// Frames of a camera file that cannot be read: what takes their place, and the list of them.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spim/frame_reader.hpp"
#include "spim/host/frame_source.hpp"

namespace spim {

/// What is done about a frame that cannot be read.
enum class OnBadFrame {
  fail,     ///< an error that names it
  skip,     ///< zeros, which nothing corrects
  previous  ///< the nearest readable frame before it, or behind it when there is none before
};

/// Consecutive frames of one file that could not be read and have the same in their place.
struct BadFrames {
  static constexpr std::int64_t kZeros = -1;

  std::string file;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t of = 0;            ///< how many frames the file should have
  std::int64_t instead = kZeros;  ///< the frame that took their place, or kZeros
  std::string reason;             ///< of the first
};

/// All frames that were bridged, of any number of files, each once. [any thread]
class BadFrameLog {
 public:
  void add(const BadFrames& frames);
  void clear();
  bool empty() const;
  /// Sorted by file and frame; neighbours with the same in their place are one row.
  std::vector<BadFrames> all() const;
  /// The list as a JSON array of {"file", "first", "last", "of", "reason", "instead"}, where "instead" is
  /// "zeros" or "frame N".
  std::string text() const;
  /// Adds a list that text() gave. Throws Error that begins with `source` when it is damaged.
  void merge(std::string_view json, const std::string& source);

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::int64_t>, BadFrames> rows_;  ///< by file and first frame
};

/// How a file is bridged.
struct BridgeSettings {
  std::string file;  ///< for messages and the list
  OnBadFrame on_bad_frame = OnBadFrame::fail;
  std::int64_t frames = 0;  ///< that the file should have; those beyond the reader's cannot be read
};

/// A camera file of which some frames cannot be read. Unless the policy is to fail, each frame is read as a
/// whole before any part of it is used: what takes its place depends neither on the part nor on the order in
/// which frames are asked for. More than half of the frames are never bridged. [any thread]
class FrameBridge final : public FrameReader {
 public:
  /// `reader` may be used from any thread; `log` (may be null) gets what is bridged. Throws Error when more
  /// than half of the frames are beyond the end.
  FrameBridge(std::shared_ptr<FrameReader> reader, BridgeSettings settings, std::shared_ptr<BadFrameLog> log);

  StackInfo info() const override { return info_; }
  /// Throws Error that names the frame and the file: when it cannot be read and the policy is to fail, or
  /// when too many cannot.
  void read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) override;
  /// None for frames that have none, or whose stamp cannot be read although the policy is not to fail.
  FrameStamp stamp(std::int64_t frame) override;
  void describe(MetadataSink& sink) override { reader_->describe(sink); }

  /// The frame whose pixels read() gives for `frame`: itself, another, or BadFrames::kZeros.
  std::int64_t source_of(std::int64_t frame);

 private:
  enum class State : std::uint8_t { unknown, good, bad };

  bool is_good(std::int64_t frame);
  std::string fault_of(std::int64_t frame) const;
  void mark_bad(std::int64_t frame, std::string reason);
  std::int64_t nearest_good(std::int64_t frame);

  std::shared_ptr<FrameReader> reader_;
  BridgeSettings settings_;
  std::shared_ptr<BadFrameLog> log_;
  std::int64_t whole_;  ///< frames that the reader has
  StackInfo info_;
  std::vector<std::atomic<State>> states_;
  mutable std::mutex mutex_;                     ///< for those below
  std::map<std::int64_t, std::string> reasons_;  ///< of bad frames inside the reader's
};

/// `frames`, of which frame 0 is frame `start` of `bridge` and which are made from it; those for which it
/// gives zeros are zeros, whatever corrections do to zeros.
std::unique_ptr<FrameSource> zeros_for_skipped(std::unique_ptr<FrameSource> frames,
                                               std::shared_ptr<FrameBridge> bridge, std::int64_t start);

}  // namespace spim
