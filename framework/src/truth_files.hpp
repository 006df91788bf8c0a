#pragma once
/// What the simulator writes beside its camera files.

#include <filesystem>
#include <vector>

#include "spim/host/simulation.hpp"

namespace spim::detail {

/// truth/truth.json: settings and every tile with its nominal and true position.
void write_truth(const std::filesystem::path& folder, const SimulationSettings& settings,
                 const std::vector<TrueTile>& tiles);

/// truth/illumination.tif: the noise-free illumination profile of an oriented frame, float32.
void write_illumination(const std::filesystem::path& folder, const SimulatedStack& stack);

/// metadata.txt as the microscopes' control program writes it (docs/simulation.md).
void write_metadata(const std::filesystem::path& folder, const SimulationSettings& settings,
                    const std::vector<TrueTile>& tiles);

/// A coordinate as the microscope names it: tenths of a micrometre.
std::int64_t tenths(double um);

}  // namespace spim::detail
