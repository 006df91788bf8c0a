#pragma once
/// What a TIFF file says of its voxels.

#include <string>

#include "spim/volume_writer.hpp"

namespace spim::tiff {

/// VolumeSpec with texts of its own.
struct Description {
  VolumeSpec spec;
  std::string name, source;
};

/// As ImageJ and Fiji write it (key=value lines; unit and spacing in micrometres), with lines of ours behind:
/// voxel_um, origin_um, source, frame, counter, time.
std::string imagej_description(const Description& what);

/// OME-XML (schema 2016-06) for a file whose pages are the planes z, in ASCII.
std::string ome_description(const Description& what);

/// What imagej_description() and ome_description() say of lengths; 0 where they do not.
struct Lengths {
  Vec3 voxel_um;
  Vec3 origin_um;
};
Lengths lengths_of(const std::string& description);

/// "2026:11:22 20:15:00" (UTC), as the tag DateTime wants it; "" without a time.
std::string date_time(const FrameStamp& stamp);

}  // namespace spim::tiff
