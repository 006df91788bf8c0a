#pragma once
/// Checks the table of a loaded plugin.

#include <string>

#include "spim/plugin.hpp"

namespace spim {

/// What is wrong with the items of `manifest`, or "" when all can be used.
std::string item_table_fault(const PluginManifest& manifest);

}  // namespace spim
