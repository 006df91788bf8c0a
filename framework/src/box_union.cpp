#include "box_union.hpp"

#include <algorithm>

namespace spim::detail {

namespace {

void drop_empty(std::vector<Box>& boxes) {
  std::erase_if(boxes, [](const Box& b) { return b.empty(); });
}

/// The borders of `boxes` along one axis, sorted, each once.
template <class Begin, class End>
std::vector<std::int64_t> borders(const std::vector<Box>& boxes, Begin begin, End end) {
  std::vector<std::int64_t> cuts;
  for (const Box& b : boxes) {
    cuts.push_back(begin(b));
    cuts.push_back(end(b));
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  return cuts;
}

/// Length that the x ranges of `boxes` cover; sorted by begin.x.
std::int64_t union_length(const std::vector<Box>& boxes) {
  std::int64_t total = 0;
  std::int64_t reached = 0;
  bool first = true;
  for (const Box& b : boxes) {
    const std::int64_t from = first ? b.begin.x : std::max(reached, b.begin.x);
    total += std::max<std::int64_t>(0, b.end.x - from);
    reached = first ? b.end.x : std::max(reached, b.end.x);
    first = false;
  }
  return total;
}

/// Area in x and y.
std::int64_t union_area(const std::vector<Box>& boxes) {
  if (boxes.size() == 1) return boxes[0].size().x * boxes[0].size().y;
  const auto cuts = borders(
      boxes, [](const Box& b) { return b.begin.y; }, [](const Box& b) { return b.end.y; });
  std::int64_t total = 0;
  std::vector<Box> across;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    across.clear();
    for (const Box& b : boxes)
      if (b.begin.y <= cuts[i] && b.end.y >= cuts[i + 1]) across.push_back(b);
    total += union_length(across) * (cuts[i + 1] - cuts[i]);
  }
  return total;
}

}  // namespace

std::int64_t union_voxels(std::vector<Box> boxes) {
  drop_empty(boxes);
  if (boxes.empty()) return 0;
  std::sort(boxes.begin(), boxes.end(), [](const Box& a, const Box& b) { return a.begin.x < b.begin.x; });
  const auto cuts = borders(
      boxes, [](const Box& b) { return b.begin.z; }, [](const Box& b) { return b.end.z; });
  std::vector<std::vector<Box>> layers(cuts.size() - 1);
  for (const Box& b : boxes) {
    const auto from = std::lower_bound(cuts.begin(), cuts.end(), b.begin.z) - cuts.begin();
    const auto to = std::lower_bound(cuts.begin(), cuts.end(), b.end.z) - cuts.begin();
    for (auto i = from; i < to; ++i) layers[static_cast<std::size_t>(i)].push_back(b);
  }
  std::int64_t total = 0;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (!layers[i].empty()) total += union_area(layers[i]) * (cuts[i + 1] - cuts[i]);
  return total;
}

}  // namespace spim::detail
