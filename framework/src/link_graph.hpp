#pragma once
/// How tiles hang together by links: components, and the links that nothing else confirms.

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace spim::detail {

/// An edge between two vertices.
using Edge = std::pair<std::size_t, std::size_t>;

/// A graph without parallel edges, analysed once.
class LinkGraph {
 public:
  LinkGraph(std::size_t vertices, std::span<const Edge> edges);

  /// Components are numbered by their smallest vertex.
  int component(std::size_t vertex) const noexcept { return component_[vertex]; }
  int components() const noexcept { return static_cast<int>(sizes_.size()); }
  std::size_t component_size(int component) const noexcept {
    return sizes_[static_cast<std::size_t>(component)];
  }
  /// True when removing the edge separates its component in two.
  bool is_bridge(std::size_t edge) const noexcept { return bridge_[edge]; }
  /// True when every way from a to b (of one component) takes this bridge.
  bool separates(std::size_t bridge, std::size_t a, std::size_t b) const noexcept {
    return below(bridge, a) != below(bridge, b);
  }
  /// The vertices on the smaller side of a bridge; on the side of the larger numbers when both are equal.
  std::vector<std::size_t> smaller_side(std::size_t bridge) const;

 private:
  void visit(std::size_t root);
  bool below(std::size_t bridge, std::size_t vertex) const noexcept;

  struct Incidence {
    std::size_t to, edge;
  };
  std::vector<std::vector<Incidence>> neighbours_;
  std::vector<int> component_;
  std::vector<std::size_t> sizes_;
  std::vector<bool> bridge_;
  std::vector<std::size_t> child_;          ///< of a bridge: its vertex away from the root
  std::vector<std::size_t> entered_, end_;  ///< times of the depth-first search: a subtree is a range of them
};

}  // namespace spim::detail
