#pragma once
/// What stays beside a published volume: how it was made, and checksums of everything in it.

#include <filesystem>
#include <optional>
#include <string>

#include "spim/host/run_folder.hpp"

namespace spim::cli {

/// What a manifest is made from.
struct RunManifest {
  const std::string& plan;
  const std::string& layout;
  const RunFolder& folder;  ///< whose ledger is complete
};

/// OUTPUT.run.json.
std::filesystem::path manifest_path(const std::filesystem::path& output);

/// Writes manifest_path(output) durably: the plan, the layout, and of each task what it wrote, with
/// checksums.
void save_manifest(const RunManifest& manifest, const std::filesystem::path& output);

/// The plan by which `output` was made; nothing when there is no such output, or no manifest.
std::optional<std::string> published_plan(const std::filesystem::path& output);

}  // namespace spim::cli
