#pragma once
/// The planes of a volume as files.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "session.hpp"
#include "spim/host/config.hpp"
#include "spim/host/plane_series.hpp"
#include "spim/host/volume_source.hpp"

namespace spim::cli {

struct PlaneFilesRequest {
  std::string pattern;                        ///< of names, as NamePattern takes it
  std::int64_t first = 0;                     ///< number of plane 0
  bool resume = false;                        ///< keep the whole files of an interrupted run
  std::vector<std::filesystem::path> inputs;  ///< what the planes are made from
  const Selections& plugins;                  ///< completed; the writer writes one file of one plane
  PlaneLabels labels;
  Configuration saved;  ///< kept beside the files while they are written and after
};

/// Writes a file for each plane z of `source`, collecting them from its chunks so that each is decoded once,
/// and says what was written.
void write_plane_files(Session& session, const VolumeSource& source, const PlaneFilesRequest& request);

}  // namespace spim::cli
