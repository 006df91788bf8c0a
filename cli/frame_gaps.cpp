#include "frame_gaps.hpp"

namespace spim::cli {

namespace {

/// A frame and its counter.
struct Counted {
  std::int64_t frame;
  std::uint32_t counter;
};

class GapSearch {
 public:
  explicit GapSearch(FrameReader& reader) : reader_(&reader) {}

  Counted at(std::int64_t frame) {
    const FrameStamp stamp = reader_->stamp(frame);
    counted_ = counted_ && stamp.has_counter;
    return {frame, stamp.counter};
  }

  void search(Counted first, Counted last) {
    // Counters run modulo 2^32, and so does this difference; one that runs backwards counts nothing.
    const auto steps = static_cast<std::int32_t>(last.counter - first.counter);
    const std::int64_t dropped = std::int64_t{steps} - (last.frame - first.frame);
    if (!counted_ || dropped == 0) return;
    if (last.frame - first.frame == 1) {
      if (dropped > 0) gaps_.push_back({last.frame, dropped});
      return;
    }
    const Counted middle = at(first.frame + (last.frame - first.frame) / 2);
    search(first, middle);
    search(middle, last);
  }

  std::vector<FrameGap> gaps() const { return counted_ ? gaps_ : std::vector<FrameGap>(); }

 private:
  FrameReader* reader_;
  bool counted_ = true;
  std::vector<FrameGap> gaps_;
};

}  // namespace

std::vector<FrameGap> frame_gaps(FrameReader& reader) {
  const std::int64_t frames = reader.info().frames;
  if (frames < 2) return {};
  GapSearch search(reader);
  if (!reader.stamp(0).has_counter) return {};
  // The last frames of a file that is cut short have none.
  std::int64_t last = frames - 1;
  while (last > 0 && !reader.stamp(last).has_counter) --last;
  const Counted first = search.at(0);
  search.search(first, search.at(last));
  return search.gaps();
}

}  // namespace spim::cli
