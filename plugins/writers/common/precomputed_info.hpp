#pragma once
/// `info`: Neuroglancer's description of a precomputed volume.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spim/volume_writer.hpp"

namespace spim::chunked {

enum class ShardHash { identity, murmurhash3_x86_128 };
enum class ShardEncoding { raw, gzip };

/// "neuroglancer_uint64_sharded_v1": which of a scale's files holds a chunk.
struct PrecomputedSharding {
  int preshift_bits = 0, minishard_bits = 0, shard_bits = 0;
  ShardHash hash = ShardHash::identity;
  ShardEncoding index_encoding = ShardEncoding::raw, data_encoding = ShardEncoding::raw;
};

/// One level.
struct PrecomputedScale {
  std::string key;      ///< folder, e.g. "2_2_2"
  Vec3 voxel_um;        ///< `info` has nanometres
  Index3 voxel_offset;  ///< of its first voxel
  Index3 size, chunk;
  std::optional<PrecomputedSharding> sharding;
};

struct PrecomputedInfo {
  PixelType type = PixelType::u16;
  std::int64_t channels = 1;
  std::vector<PrecomputedScale> scales;  ///< finest first, at least one
  /// Centre of the first voxel of the finest scale, which a whole voxel_offset cannot say exactly: a member
  /// of our own, "origin_um", that viewers ignore.
  std::optional<Vec3> origin_um;
};

/// Folder of `level`: "1_1_1", "2_2_2", "4_4_4" …
std::string level_key(std::int32_t level);

/// The scales of `spec`, whose chunk is the real one, with offset 0 and without shards.
PrecomputedInfo info_of(const VolumeSpec& spec);

/// The text of `info`. There is no "mesh": it would announce a folder that does not exist.
std::string encode_info(const PrecomputedInfo& info);

/// What of an `info` somebody needs.
enum class InfoPart {
  places,     ///< keys, voxel sizes and offsets; the rest may be missing
  everything  ///< also types, sizes, chunks and shards, which must be ones that we read
};

/// Parses an `info` that anybody wrote. Throws Error naming `subject`; afterwards sizes and chunks are free
/// of overflow and keys lead nowhere out of the volume's folder. Resolution is taken as the nanometres that
/// the format demands; volumes written by the original's stack2oblique hold micrometres there and read 1000
/// times too small.
PrecomputedInfo parse_info(std::string_view text, InfoPart part, const std::string& subject);

}  // namespace spim::chunked
