#pragma once
/// The interface of a volume format's reading side.

#include <cstdint>

#include "spim/host.hpp"
#include "spim/image.hpp"
#include "spim/plugin_kind.hpp"

namespace spim {

struct VolumeInfo {
  PixelType type = PixelType::u16;
  std::int32_t levels = 1;  ///< of the pyramid; level 0 is full resolution
  /// Volumes of one shape that the file holds, one of which is read: a reader that says more than 1 has an
  /// integer option "channel", counted from 0, that chooses it.
  std::int32_t channels = 1;
};

/// One level of the pyramid of a volume.
struct LevelInfo {
  Index3 shape;    ///< voxels
  Index3 chunk;    ///< voxels of a full chunk: the unit that is decoded at once
  Vec3 voxel_um;   ///< pitch, micrometres; 0 where the file does not say
  Vec3 origin_um;  ///< position of the centre of voxel (0,0,0), micrometres
};

/// One open volume. Created with (Host&, const Options&, std::string_view path).
class VolumeReader {
 public:
  static constexpr Kind kKind = Kind::volume_reader;
  virtual ~VolumeReader() = default;

  /// Constant for the life of the instance. [any thread]
  virtual VolumeInfo info() const = 0;
  virtual LevelInfo level(std::int32_t level) const = 0;

  /// Reads `box`, which lies inside the level's shape, into `out`, whose size is box.size(). Chunks that were
  /// never written are zero. Throws if a chunk is damaged; `out` is undefined then. [one thread per instance,
  /// or any if declared reentrant]
  virtual void read(std::int32_t level, const Box& box, VolumeView<std::uint16_t> out) = 0;

  /// Describes the volume to a user: codec, stored bytes, chunks present. [as read]
  virtual void describe(MetadataSink& sink) { (void)sink; }
};

}  // namespace spim
