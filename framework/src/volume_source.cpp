#include "spim/host/volume_source.hpp"

#include <algorithm>

#include "region_span.hpp"

namespace spim {

namespace {

/// A box around all.
Box around(std::span<const Box> boxes) noexcept {
  if (boxes.empty()) return {};
  Box all = boxes.front();
  for (const Box& box : boxes) {
    all.begin = min(all.begin, box.begin);
    all.end = max(all.end, box.end);
  }
  return all;
}

}  // namespace

bool VolumeSource::may_hold_data(const Box& box) const {
  return !detail::clip_to_region(region(), box).empty();
}

std::int64_t VolumeSource::whole_frames_in(const Box&) const {
  return 0;
}

void VolumeSource::prepare(const Box& lane, std::span<const Box> boxes, const Executor& executor) {
  executor.parallel_for(plan_loads(lane, boxes), [&](std::int64_t i, int) { load(i); });
}

void VolumeSource::prepare(std::span<const Box> boxes, const Executor& executor) {
  prepare(around(boxes), boxes, executor);
}

std::int64_t VolumeSource::memory_for(std::span<const Box> boxes) const {
  return memory_for(around(boxes), boxes);
}

}  // namespace spim
