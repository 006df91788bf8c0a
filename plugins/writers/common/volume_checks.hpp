#pragma once
/// What every writer checks before it touches the disk, and every time it is given a chunk.

#include <string_view>

#include "spim/volume_writer.hpp"

namespace spim::chunked {

/// spec.chunk with `fallback` on the axes where it is 0.
Index3 chunk_or_default(const VolumeSpec& spec, std::int64_t fallback);

/// Throws Error unless `spec` (chunk filled in) can be written: extents, levels, voxel size, origin.
void check_spec(const VolumeSpec& spec);

/// Throws Error unless `spec` is that of a volume that was begun (chunk filled in).
void check_begun(const VolumeSpec& spec);

/// Number of voxels of `chunk`; throws Error unless it exists in `spec`.
Index3 chunk_size(const VolumeSpec& spec, const ChunkAddress& chunk);

/// Throws Error unless `chunk` exists in `spec` and has `size` voxels there.
void check_chunk(const VolumeSpec& spec, const ChunkAddress& chunk, Index3 size);

/// Warns when a file for each chunk would be more than file systems like; `remedy` is the option that helps.
void warn_of_many_files(Host& host, const VolumeSpec& spec, std::string_view remedy);

}  // namespace spim::chunked
