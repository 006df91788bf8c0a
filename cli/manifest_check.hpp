#pragma once
/// Whether the files of a published volume are those that its manifest names.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "run_manifest.hpp"
#include "session.hpp"

namespace spim::cli {

/// What a comparison with a manifest found.
struct ManifestCheck {
  StoredManifest manifest;
  std::int64_t files = 0;            ///< that were compared
  std::vector<std::string> damaged;  ///< missing files too; names as in the manifest
  std::int64_t extra = 0;            ///< files that the manifest does not name
  std::vector<std::string> left;     ///< files and folders that a repair that was killed left half written

  std::int64_t faults() const noexcept {
    return static_cast<std::int64_t>(damaged.size() + left.size()) + extra;
  }
};

/// Receives the name of a file and what is wrong with it, as it is found.
using FileFaultSink = std::function<void(const std::string& file, const std::string& reason)>;

/// Reads all files of `output`, which has a manifest. Throws Error when that cannot be read.
ManifestCheck check_manifest(Session& session, const std::filesystem::path& output,
                             const FileFaultSink& sink);

/// Makes what is damaged again, in place, and removes what a repair that was killed left. Throws Error saying
/// why that is not possible.
void repair_volume(Session& session, const std::filesystem::path& output, const ManifestCheck& check);

}  // namespace spim::cli
