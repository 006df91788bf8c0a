#pragma once
/// What `spimstitch plugins` and `check-plugin` print, as text and as JSON.

#include <string>
#include <vector>

#include "spim/host/conformance.hpp"
#include "spim/host/registry.hpp"

namespace spim::cli {

/// Every item by kind, then the refused plugins.
std::string list_text(const Registry& registry);
std::string list_json(const Registry& registry);

/// One item with its options.
std::string item_text(const Item& item);
/// The same with the options as JSON Schema.
std::string item_json(const Item& item);

/// One line per check and a sum.
std::string checks_text(const std::vector<ConformanceCheck>& checks);
std::string checks_json(const std::vector<ConformanceCheck>& checks);

}  // namespace spim::cli
