#pragma once
/// What stays beside a published volume: how it was made, and checksums of everything in it.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "run_outputs.hpp"
#include "spim/host/run_folder.hpp"

namespace spim::cli {

/// What a manifest is made from.
struct RunManifest {
  std::string plan;
  std::string layout;         ///< "null" for a volume that was written in one go
  std::string saved;          ///< the configuration as it was used, with illumination and alignment
  std::string products;       ///< of the illumination and the alignment: lines of bytes, checksum and path
  const RunFolder& folder;    ///< whose ledger is complete
  const RunOutputs& outputs;  ///< that are in it
};

/// OUTPUT.run.json.
std::filesystem::path manifest_path(const std::filesystem::path& output);

/// Writes manifest_path(output) durably: the plan, the layout, and of each task what it wrote, with
/// checksums.
void save_manifest(const RunManifest& manifest, const std::filesystem::path& output);

/// The plan by which `output` was made; nothing when there is no such output, or no manifest.
std::optional<std::string> published_plan(const std::filesystem::path& output);

/// A manifest that is read back.
struct StoredManifest {
  std::string plan;
  std::string layout;  ///< empty for a volume that was written in one go
  std::string saved;
  std::vector<StoredFile> products;
  std::vector<LedgerEntry> tasks;  ///< names and files alone
};
/// Throws Error when there is none, or it is damaged.
StoredManifest load_manifest(const std::filesystem::path& output);

/// The first stored file of `output` that is missing or has another length than the manifest says; "" when
/// there is none.
std::string published_fault(const std::filesystem::path& output);

}  // namespace spim::cli
