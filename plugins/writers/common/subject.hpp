#pragma once
/// Errors from below, told with the thing they are about.

#include <string>

#include "spim/error.hpp"

namespace spim::chunked {

/// Returns work(); an Error out of it is thrown again behind name(), which is only called then.
template <class Name, class Work>
auto with_subject(Name&& name, Work&& work) {
  try {
    return work();
  } catch (const Error& e) {
    throw Error(name() + ": " + e.what());
  }
}

}  // namespace spim::chunked
