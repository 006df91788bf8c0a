#pragma once
/// What is noted about a plane in the comment of its codestream: a line of JSON, so that people and programs
/// can read it.

#include <string>

#include "spim/volume_writer.hpp"

namespace spim::jp2 {

/// The comment of a plane of `spec`.
std::string comment_of(const VolumeSpec& spec);

/// What a comment says; 0 and nothing where it says nothing.
struct PlaneNotes {
  Vec3 voxel_um;
  Vec3 origin_um;
  FrameStamp stamp;
};

/// Reads what comment_of() wrote; anything else says nothing.
PlaneNotes notes_of(const std::string& comment);

}  // namespace spim::jp2
