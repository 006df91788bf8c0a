#pragma once
/// From what a user selected to what creates instances.

#include <filesystem>

#include "instance_pool.hpp"
#include "spim/host/registry.hpp"

namespace spim {

/// The item of `kind` called selection.id with its options completed. `path` is "" for kinds without one.
/// Throws UsageError for an unknown id or option.
Recipe make_recipe(const Registry& registry, Host& host, Kind kind, const Selection& selection,
                   const std::filesystem::path& path);

/// The same for a reader, which is found by probing when selection.id is empty.
Recipe make_reader_recipe(const Registry& registry, Host& host, Kind kind, const Selection& selection,
                          const std::filesystem::path& path);

}  // namespace spim
