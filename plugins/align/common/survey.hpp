#pragma once
/// The correlation over all shifts within reach, and its maxima.

#include <vector>

#include "common/correlator.hpp"

namespace spim::alignment {

/// One maximum at a whole number of cells.
struct Summit {
  Index3 shift;
  double correlation = Correlator::kNothing;
};

/// Remembers what it has asked the correlator. [one thread]
class Survey {
 public:
  explicit Survey(const Correlator& correlator);

  /// The correlator's value; kNothing outside its reach.
  double at(Index3 k);
  /// Goes to the best of the 26 neighbours until none is better.
  Summit climb(Index3 start);
  /// Different maxima, best first, found by climbing from the maxima among every second shift. A peak is
  /// more than two cells wide: a lattice step is at most two thirds of the sigma of the smoothing.
  std::vector<Summit> summits();
  /// True when a neighbour of `k` is out of reach, so that the true maximum may be beyond.
  bool on_border(Index3 k) const noexcept;

 private:
  bool within(Index3 k) const noexcept;

  const Correlator& correlator_;
  Index3 reach_;
  std::vector<double> known_;  ///< NaN where not asked yet
};

/// Calls visit(d) for the 27 steps of −1, 0 or 1 along each axis.
template <class Visit>
void for_neighbours(Visit visit) {
  for (std::int64_t z = -1; z <= 1; ++z)
    for (std::int64_t y = -1; y <= 1; ++y)
      for (std::int64_t x = -1; x <= 1; ++x) visit(Index3{x, y, z});
}

}  // namespace spim::alignment
