/// Any bytes as an alignment file: positions that can be looked up, or an Error; never anything else.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "memory_file.hpp"
#include "spim/error.hpp"
#include "spim/host/alignment_file.hpp"

namespace {

bool is_place(spim::Vec3 v) {
  constexpr double kFarthest = 1e9;  // um, as far as a file is believed
  return std::abs(v.x) <= kFarthest && std::abs(v.y) <= kFarthest && std::abs(v.z) <= kFarthest;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const spim::test::MemoryFile file(data, size);
  try {
    const spim::AlignmentFile alignment(file.path());
    if (alignment.positions().size() != alignment.size()) std::abort();
    for (const auto& [stage, position] : alignment.positions())
      if (!is_place(position) || !alignment.find(stage)) std::abort();
    if (!is_place(alignment.origin_um())) std::abort();
    if (const auto voxel = alignment.voxel_um(); voxel && !(voxel->x > 0 && voxel->y > 0 && voxel->z > 0))
      std::abort();
  } catch (const spim::Error&) {
  }
  return 0;
}
