#pragma once
/// What a run was and how it went, put together from what its processes and tasks left in OUTPUT.run.

#include <nlohmann/json_fwd.hpp>

#include "spim/host/run_folder.hpp"

namespace spim::cli {

/// Adds to the manifest `document`, which has its plan, layout, tasks and output already: times, phases,
/// stages, processes, machine, camera, tiles, result, clipped samples, dropped and bridged frames, the
/// alignment and warnings. docs/runs.md describes them. What the folder does not tell is left out.
void add_run_facts(nlohmann::ordered_json& document, const RunFolder& folder);

}  // namespace spim::cli
