#pragma once
/// Host::parallel_for with any callable.

#include <cstdint>

#include "spim/host.hpp"

namespace spim::tiff {

template <class Body>
void for_each(Host& host, std::int64_t count, Body body) {
  host.parallel_for(
      count, [](void* context, std::int64_t i) { (*static_cast<Body*>(context))(i); }, &body);
}

}  // namespace spim::tiff
