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

/// What a description says of lengths, be it ours, that of ImageJ or OME-XML; 0 where it does not.
struct Lengths {
  Vec3 voxel_um;
  Vec3 origin_um;
};
/// `pixels_per_unit` is what PageInfo says: ImageJ's description has the unit alone.
Lengths lengths_of(const std::string& description, Vec3 pixels_per_unit = {});

/// "2026:11:22 20:15:00" (UTC), as the tag DateTime wants it; "" without a time.
std::string date_time(const FrameStamp& stamp);

}  // namespace spim::tiff
