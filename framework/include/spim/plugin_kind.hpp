#pragma once
/// The kinds of implementation that a plugin can bring.

#include <cstdint>

namespace spim {

enum class Kind : std::uint32_t {
  frame_reader = 1,
  volume_reader = 2,
  volume_writer = 3,
  destriper = 4,
  aligner = 5
};

/// How many threads may be inside an implementation.
enum class Concurrency : std::uint32_t {
  exclusive = 1,  ///< one instance per worker, one thread in it at a time. The safe default.
  reentrant = 2,  ///< one instance for all workers, any number of threads in it
  singleton = 3,  ///< one thread in the implementation at a time, whatever the number of open files
};

}  // namespace spim
