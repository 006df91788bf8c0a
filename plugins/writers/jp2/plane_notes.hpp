#pragma once
/// What is noted about a plane in the comment of its codestream: a line of JSON, so that people and programs
/// can read it.

#include <string>

#include "spim/volume_writer.hpp"

namespace spim::jp2 {

/// The comment of a plane of `spec`.
std::string comment_of(const VolumeSpec& spec);

/// What a comment says of where the plane is; 0 where it says nothing.
struct PlanePlace {
  Vec3 voxel_um;
  Vec3 origin_um;
};

/// Reads what comment_of() wrote; anything else says nothing.
PlanePlace place_of(const std::string& comment);

}  // namespace spim::jp2
