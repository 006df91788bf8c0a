/// Any bytes as an alignment file: positions that can be looked up, or an Error; never anything else.

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "spim/error.hpp"
#include "spim/host/alignment_file.hpp"

namespace {

/// The bytes as a file in memory.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    while (size > 0) {
      const ssize_t n = ::write(fd_, data, size);
      if (n <= 0) std::abort();
      data += n;
      size -= static_cast<std::size_t>(n);
    }
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

bool is_place(spim::Vec3 v) {
  constexpr double kFarthest = 1e9;  // um, as far as a file is believed
  return std::abs(v.x) <= kFarthest && std::abs(v.y) <= kFarthest && std::abs(v.z) <= kFarthest;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
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
