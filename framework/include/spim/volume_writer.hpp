#pragma once
/// The interface of a volume format's writing side.

#include <cstdint>
#include <string_view>

#include "spim/error.hpp"
#include "spim/frame_stamp.hpp"
#include "spim/host.hpp"
#include "spim/image.hpp"
#include "spim/plugin_kind.hpp"

namespace spim {

/// How a viewer should show one channel.
struct ChannelSpec {
  const char* label = "";   ///< for people; UTF-8; "" leaves the choice to the writer
  const char* color = "";   ///< six hexadecimal digits RRGGBB; "" leaves the choice to the writer
  double window_start = 0;  ///< grey level shown as black
  double window_end = 0;    ///< grey level shown in full colour; not above the start: the writer chooses
};

/// What is going to be written.
struct VolumeSpec {
  Index3 shape;             ///< voxels of level 0
  Index3 chunk;             ///< wanted chunk shape; 0 on an axis means the format's own default
  std::int32_t levels = 1;  ///< level l has shape ceil(shape / 2^l)
  PixelType type = PixelType::u16;
  Vec3 voxel_um;                   ///< pitch of level 0, micrometres
  Vec3 origin_um;                  ///< position of the centre of voxel (0,0,0) of level 0, micrometres
  const char* name = "";           ///< for people; UTF-8
  std::int32_t channel_count = 1;  ///< volumes of this shape, one per channel, in one output
  const ChannelSpec* channels =
      nullptr;  ///< channel_count of them, or null; valid during the call only, as name
  // What the voxels were made from, for formats that can say it.
  const char* source = "";        ///< name of a file; UTF-8
  std::int64_t first_frame = -1;  ///< plane z is frame first_frame + z of the source; -1: is no frame
  FrameStamp stamp;               ///< of the first plane
};

/// Which chunk: level and position in the grid of chunks, x, y, z, of one channel.
struct ChunkAddress {
  std::int32_t level = 0;
  Index3 index;
  std::int32_t channel = 0;
};

/// Shape of level `level` of a volume of shape `shape`.
constexpr Index3 level_shape(Index3 shape, std::int32_t level) noexcept {
  const std::int64_t f = std::int64_t{1} << level;
  return ceil_div(shape, {f, f, f});
}

/// Names one share of an output that several writers make together.
struct PartName {
  const char* task = "";  ///< the same whoever does it again: letters, digits, '-'
  const char* token =
      "";  ///< of this instance alone, unlike any other on any machine: letters, digits, '-', '_', '.'
};

/// Receives the files of a part. [the calling thread, during the call only]
class FileSink {
 public:
  /// `path` is relative to the writer's path.
  virtual void file(std::string_view path) = 0;

 protected:
  ~FileSink() = default;
};

/// One volume being written. Created with (Host&, const Options&, std::string_view path).
///
/// `path` does not exist yet: it is a temporary name in the folder of the output. The writer creates it as a
/// file or a folder and writes only there; nothing inside may mention the name. When finish() has returned
/// the host makes the result durable and gives it its final name. If anything throws before that, the host
/// removes `path`.
class VolumeWriter {
 public:
  static constexpr Kind kKind = Kind::volume_writer;
  virtual ~VolumeWriter() = default;

  /// The chunk shape that will really be used for `spec`: called first, must not touch the disk.
  virtual Index3 chunk_shape(const VolumeSpec& spec) const = 0;

  /// Creates the output. spec.chunk is what chunk_shape() returned. [one thread, once]
  virtual void begin(const VolumeSpec& spec) = 0;

  /// Stores one chunk. `voxels` is dense, x fastest, clipped at the edge of the level. Each chunk of each
  /// level and channel is given exactly once, to write() or to write_zero(), in any order. [any thread if
  /// declared reentrant; otherwise one at a time]
  virtual void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) = 0;

  /// The chunk holds only zeros. The default stores nothing: chunks that are absent read as zero. [as write]
  virtual void write_zero(const ChunkAddress& chunk) { (void)chunk; }

  /// Writes what is still missing (indices, metadata) and closes all files. Nothing looks complete before.
  /// [one thread, once, last]
  virtual void finish() = 0;

  /// Reports what was written, after finish(): bytes stored, chunks, checksum. [one thread]
  virtual void describe(MetadataSink& sink) { (void)sink; }

  /// Channels that one output can hold; the host never asks for more. A writer that says more than 1 obeys
  /// spec.channel_count and ChunkAddress::channel. [any thread]
  virtual std::int32_t most_channels() const { return 1; }

  /// Bytes of memory that the writer keeps at most between the calls for `spec` (chunk filled in), all
  /// threads together: a part of the budget that the host plans with. What a call needs for its own chunk
  /// does not count. Called before begin(). [any thread]
  virtual std::int64_t memory_bytes(const VolumeSpec& spec) const {
    (void)spec;
    return 0;
  }

  /// Voxels of the least piece that has files of its own, whatever else is written: a chunk or a shard; a
  /// multiple of the chunk on each axis, the same on all levels. All 0 (the default): the format cannot be
  /// written in parts, and what follows is never called. Must not touch the disk; spec as for begin().
  virtual Index3 unit_shape(const VolumeSpec& spec) const {
    (void)spec;
    return {};
  }

  /// In place of begin(): this instance writes one part of an output that others, also of other processes and
  /// machines, write at the same time. `path` may exist. A unit belongs to one part, whose instance is given
  /// all its chunks; when a part is done again, perhaps while the first try is still running, the same bytes
  /// take the place of the old ones by renaming: what is being written stands in the folder `.part-TOKEN`
  /// until then. [one thread, once]
  virtual void join(const VolumeSpec& spec, const PartName& part);

  /// Closes the files of this part and names them. The host makes them durable. [one thread, once]
  virtual void finish_part(FileSink& files) { (void)files; }

  /// Decodes a chunk that a finished part has stored; zeros where nothing is. `voxels` is dense, clipped at
  /// the edge of the level. After join(). [any thread if declared reentrant; otherwise one at a time]
  virtual void read_back(const ChunkAddress& chunk, VolumeView<std::uint16_t> voxels);

  // finish(), of an instance that joined after all parts were finished, completes the output: it may be
  // called again after a failure, and removes the folders `.part-*`.
};

inline void VolumeWriter::join(const VolumeSpec&, const PartName&) {
  throw Error("the format cannot be written in parts");
}
inline void VolumeWriter::read_back(const ChunkAddress&, VolumeView<std::uint16_t>) {
  throw Error("the format cannot be written in parts");
}

}  // namespace spim
