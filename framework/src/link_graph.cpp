#include "link_graph.hpp"

#include <algorithm>
#include <limits>

namespace spim::detail {

namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

}  // namespace

LinkGraph::LinkGraph(std::size_t vertices, std::span<const Edge> edges)
    : neighbours_(vertices),
      component_(vertices, -1),
      bridge_(edges.size(), false),
      child_(edges.size(), kNone),
      entered_(vertices, kNone),
      end_(vertices, kNone) {
  for (std::size_t e = 0; e < edges.size(); ++e) {
    neighbours_[edges[e].first].push_back({edges[e].second, e});
    neighbours_[edges[e].second].push_back({edges[e].first, e});
  }
  for (std::size_t v = 0; v < vertices; ++v)
    if (component_[v] < 0) visit(v);
}

/// Depth-first search without recursion; an edge is a bridge when nothing below it reaches above it (Tarjan).
void LinkGraph::visit(std::size_t root) {
  struct Step {
    std::size_t vertex, edge, next;
  };
  const int number = static_cast<int>(sizes_.size());
  std::size_t time = 0;
  std::vector<std::size_t> low(neighbours_.size(), kNone);
  std::vector<Step> path{{root, kNone, 0}};
  component_[root] = number;
  entered_[root] = low[root] = time++;
  while (!path.empty()) {
    Step& at = path.back();
    if (at.next < neighbours_[at.vertex].size()) {
      const Incidence way = neighbours_[at.vertex][at.next++];
      if (way.edge == at.edge) continue;
      if (component_[way.to] < 0) {
        component_[way.to] = number;
        entered_[way.to] = low[way.to] = time++;
        path.push_back({way.to, way.edge, 0});
      } else {
        low[at.vertex] = std::min(low[at.vertex], entered_[way.to]);
      }
      continue;
    }
    const Step done = at;
    end_[done.vertex] = time;
    path.pop_back();
    if (path.empty()) break;
    const std::size_t above = path.back().vertex;
    low[above] = std::min(low[above], low[done.vertex]);
    if (low[done.vertex] > entered_[above]) {
      bridge_[done.edge] = true;
      child_[done.edge] = done.vertex;
    }
  }
  sizes_.push_back(time);
}

bool LinkGraph::below(std::size_t bridge, std::size_t vertex) const noexcept {
  const std::size_t child = child_[bridge];
  return component_[child] == component_[vertex] && entered_[vertex] >= entered_[child] &&
         entered_[vertex] < end_[child];
}

std::vector<std::size_t> LinkGraph::smaller_side(std::size_t bridge) const {
  const int number = component_[child_[bridge]];
  std::vector<std::size_t> lower, upper;
  for (std::size_t v = 0; v < neighbours_.size(); ++v)
    if (component_[v] == number) (below(bridge, v) ? lower : upper).push_back(v);
  return upper.size() < lower.size() ? upper : lower;
}

}  // namespace spim::detail
