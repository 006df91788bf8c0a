#include "spim/host/volume_source.hpp"

#include "region_span.hpp"

namespace spim {

bool VolumeSource::may_hold_data(const Box& box) const {
  return !detail::clip_to_region(region(), box).empty();
}

}  // namespace spim
