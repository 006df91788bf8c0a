#include "plausible.hpp"

#include <fmt/format.h>

#include <cmath>

namespace spim {
namespace {

bool known(PixelType type) {
  return type == PixelType::u8 || type == PixelType::u16;
}

/// True when 2 · a · b · c, the bytes of as many uint16, fits a signed 64-bit number.
bool countable(std::int64_t a, std::int64_t b, std::int64_t c) {
  std::int64_t product = 0;
  return !__builtin_mul_overflow(a, b, &product) && !__builtin_mul_overflow(product, c, &product) &&
         !__builtin_mul_overflow(product, std::int64_t{2}, &product);
}

std::string box_fault(const char* what, Index3 size) {
  if (size.x < 1 || size.y < 1 || size.z < 1)
    return fmt::format("says that {} is {} x {} x {}, each must be at least 1", what, size.x, size.y, size.z);
  if (!countable(size.x, size.y, size.z))
    return fmt::format("says that {} is {} x {} x {}, more bytes than 64 bits can count", what, size.x,
                       size.y, size.z);
  return "";
}

bool finite(Vec3 v) {
  return std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z);
}

}  // namespace

std::string stack_fault(const StackInfo& info) {
  if (!known(info.type))
    return fmt::format("says that pixels have the unknown type {}", static_cast<std::uint32_t>(info.type));
  if (info.rows < 1 || info.columns < 1)
    return fmt::format("says that frames have {} rows and {} columns, each must be at least 1", info.rows,
                       info.columns);
  if (info.frames < 0 || info.declared < info.frames)
    return fmt::format("says that there are {} frames of {} declared", info.frames, info.declared);
  if (!countable(info.rows, info.columns, std::max<std::int64_t>(info.declared, 1)))
    return fmt::format("says that there are {} frames of {} x {}, more bytes than 64 bits can count",
                       info.declared, info.rows, info.columns);
  return "";
}

std::string volume_fault(const VolumeInfo& info) {
  constexpr std::int32_t kMostLevels = 62;  // level_shape() shifts by the level
  if (!known(info.type))
    return fmt::format("says that voxels have the unknown type {}", static_cast<std::uint32_t>(info.type));
  if (info.levels < 1 || info.levels > kMostLevels)
    return fmt::format("says that there are {} levels, the limits are 1 and {}", info.levels, kMostLevels);
  if (info.channels < 1) return fmt::format("says that there are {} channels", info.channels);
  return "";
}

std::string chunk_fault(Index3 chunk) {
  return box_fault("a chunk", chunk);
}

std::string level_fault(const LevelInfo& level) {
  if (std::string fault = box_fault("the shape", level.shape); !fault.empty()) return fault;
  if (std::string fault = chunk_fault(level.chunk); !fault.empty()) return fault;
  const Vec3 pitch = level.voxel_um;
  if (!finite(pitch) || pitch.x < 0 || pitch.y < 0 || pitch.z < 0)
    return fmt::format("says that voxels are {} x {} x {} micrometres", pitch.x, pitch.y, pitch.z);
  if (!finite(level.origin_um)) return "says that its origin is not a number";
  return "";
}

std::string spec_fault(const VolumeSpec& spec) {
  if (std::string fault = box_fault("the shape", spec.shape); !fault.empty()) return fault;
  if (std::string fault = volume_fault({spec.type, spec.levels, spec.channel_count}); !fault.empty())
    return fault;
  if (spec.chunk.x < 0 || spec.chunk.y < 0 || spec.chunk.z < 0)
    return fmt::format("says that a chunk is {} x {} x {}", spec.chunk.x, spec.chunk.y, spec.chunk.z);
  if (!finite(spec.voxel_um) || !finite(spec.origin_um)) return "says that pitch or origin is not a number";
  return "";
}

}  // namespace spim
