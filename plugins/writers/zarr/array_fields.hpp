#pragma once
/// What both versions of array metadata have in common. Includes the JSON library: for .cpp files only.

#include <cstdint>
#include <string>
#include <vector>

#include "array_metadata.hpp"
#include "common/json_fields.hpp"

namespace spim::zarr {

/// The member `key` as extents of three to five axes, each at least 1.
std::vector<std::int64_t> read_extents(const chunked::JsonFields& fields, const char* key);

/// "fill_value" as a voxel; null and a missing one are 0.
std::uint16_t read_fill(const chunked::JsonFields& fields, chunked::SampleFormat format);

/// Fills grid and leading extents of `array`, whose format is known, from the extents of all axes. Throws
/// Error naming `subject` unless their products are free of overflow.
void set_extents(ArrayMetadata& array, const std::vector<std::int64_t>& shape,
                 const std::vector<std::int64_t>& chunk, const std::string& subject);

/// The last three of the extents of all axes, as x, y, z.
Index3 space_of(const std::vector<std::int64_t>& extents);

}  // namespace spim::zarr
