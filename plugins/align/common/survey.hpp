#pragma once
/// The correlation over all shifts within reach, and its maxima.

#include <vector>

#include "common/correlator.hpp"

namespace spim::alignment {

/// One maximum at a whole number of cells.
struct Summit {
  Index3 shift;
  double score = Correlator::kNothing;
};

/// The correlation that `samples` independent samples vouch for: Fisher's z = atanh r lowered by two of its
/// standard deviations, 1/√(N − 3), as a correlation again.
double vouched(double r, double samples);

/// Compares shifts by the correlation that their samples vouch for: Fisher's z = atanh r lowered by two of
/// its standard deviations, 1/√(N − 3), as a correlation again. Where windows have little in common, chance
/// alone makes correlations high. Remembers what it has asked. [one thread]
class Survey {
 public:
  /// `samples`: independent ones in the whole fixed window.
  Survey(const Correlator& correlator, double samples);

  /// The score at shift k; kNothing outside the reach.
  double at(Index3 k);
  /// Goes to the best of the 26 neighbours until none is better.
  Summit climb(Index3 start);
  /// The best different maxima, best first: climbs from the highest of every second shift. No peak is missed:
  /// a lattice step is at most five sixths of the sigma of the smoothing, so peaks are almost three cells
  /// wide.
  std::vector<Summit> summits();
  /// True when a neighbour of `k` is out of reach, so that the true maximum may be beyond.
  bool on_border(Index3 k) const noexcept;

 private:
  bool within(Index3 k) const noexcept;
  double score(const Correlator::Value& value) const;
  std::vector<Summit> coarse_maxima() const;

  const Correlator& correlator_;
  double samples_;
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
