#include "plugin_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "spim/host/option_table.hpp"

namespace spim::cli {
namespace {

using nlohmann::ordered_json;

std::string dump(const ordered_json& value) {
  // Paths need not be UTF-8, JSON must be.
  return value.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string_view word(Concurrency concurrency) {
  switch (concurrency) {
    case Concurrency::exclusive:
      return "exclusive";
    case Concurrency::reentrant:
      return "reentrant";
    case Concurrency::singleton:
      return "singleton";
  }
  return "unknown";
}

std::string_view meaning(Concurrency concurrency) {
  switch (concurrency) {
    case Concurrency::exclusive:
      return "one instance per worker";
    case Concurrency::reentrant:
      return "one instance for all workers";
    case Concurrency::singleton:
      return "one thread in the process";
  }
  return "";
}

std::string_view word(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "passed";
    case Outcome::failed:
      return "failed";
    case Outcome::skipped:
      return "skipped";
  }
  return "";
}

std::string_view title(Kind kind) {
  switch (kind) {
    case Kind::frame_reader:
      return "Readers of camera files (--reader)";
    case Kind::volume_reader:
      return "Readers of volumes (--reader)";
    case Kind::volume_writer:
      return "Writers of volumes (--writer)";
    case Kind::destriper:
      return "Destriping (--destripe)";
    case Kind::aligner:
      return "Alignment (--aligner)";
  }
  return "";
}

ordered_json plugin_json(const PluginRecord& plugin) {
  return {{"name", plugin.name}, {"version", plugin.version},     {"vendor", plugin.vendor},
          {"abi", plugin.abi},   {"toolchain", plugin.toolchain}, {"path", plugin.path.string()}};
}

ordered_json brief_json(const Item& item) {
  return {{"kind", kind_word(item.spec->kind)},
          {"id", item.spec->id},
          {"summary", item.spec->summary},
          {"concurrency", word(item.spec->concurrency)},
          {"plugin", item.plugin->name}};
}

std::int64_t number_of(const std::vector<ConformanceCheck>& checks, Outcome outcome) {
  return std::count_if(checks.begin(), checks.end(),
                       [&](const auto& check) { return check.outcome == outcome; });
}

}  // namespace

std::string list_text(const Registry& registry) {
  std::string result;
  for (const Kind kind : kAllKinds) {
    const std::vector<Item> items = registry.items(kind);
    if (items.empty()) continue;
    result += fmt::format("{}{}\n", result.empty() ? "" : "\n", title(kind));
    std::size_t width = 0;
    for (const Item& item : items) width = std::max(width, std::string_view(item.spec->id).size());
    for (const Item& item : items)
      result += fmt::format("  {:{}}  {} ({} {})\n", item.spec->id, width, item.spec->summary,
                            item.plugin->name, item.plugin->version);
  }
  if (result.empty())
    result =
        "No plugins were found; install them, or name their folder with --plugin-dir or "
        "SPIMSTITCH_PLUGIN_PATH.\n";
  const bool refused = std::any_of(registry.plugins().begin(), registry.plugins().end(),
                                   [](const auto& plugin) { return !plugin->refusal.empty(); });
  if (refused) result += "\nRefused\n";
  for (const auto& plugin : registry.plugins())
    if (!plugin->refusal.empty()) result += fmt::format("  {}\n", plugin->refusal);
  return result;
}

std::string list_json(const Registry& registry) {
  ordered_json items = ordered_json::array(), plugins = ordered_json::array(),
               refused = ordered_json::array();
  for (const Kind kind : kAllKinds)
    for (const Item& item : registry.items(kind)) items.push_back(brief_json(item));
  for (const auto& plugin : registry.plugins()) {
    ordered_json entry = plugin_json(*plugin);
    if (plugin->refusal.empty()) {
      plugins.push_back(entry);
    } else {
      entry["reason"] = plugin->refusal;
      refused.push_back(entry);
    }
  }
  return dump({{"abi", kAbi},
               {"toolchain", SPIM_TOOLCHAIN},
               {"items", items},
               {"plugins", plugins},
               {"refused", refused}});
}

std::string item_text(const Item& item) {
  const ItemSpec& spec = *item.spec;
  const PluginRecord& plugin = *item.plugin;
  std::string result = fmt::format("{}/{}: {}\n", kind_word(spec.kind), spec.id, spec.summary);
  result += fmt::format("  plugin       {} {} ({})\n", plugin.name, plugin.version,
                        plugin.vendor.empty() ? "no vendor" : plugin.vendor);
  result += fmt::format("  file         {}\n", plugin.path.string());
  result += fmt::format("  concurrency  {}: {}\n", word(spec.concurrency), meaning(spec.concurrency));
  if (spec.option_count == 0) return result + "  no options\n";
  result += fmt::format("\nOptions (--set {}.OPTION=VALUE)\n", kind_word(spec.kind));
  return result + option_help(table_of(spec), "  ");
}

std::string item_json(const Item& item) {
  ordered_json result = brief_json(item);
  result["plugin"] = plugin_json(*item.plugin);
  const std::string name = fmt::format("options of {} {}", kind_word(item.spec->kind), item.spec->id);
  result["options"] = ordered_json::parse(option_schema(table_of(*item.spec), name));
  return dump(result);
}

std::string checks_text(const std::vector<ConformanceCheck>& checks) {
  std::string result;
  std::string_view item;
  for (const ConformanceCheck& check : checks) {
    if (check.item != item) result += fmt::format("{}\n", check.item);
    item = check.item;
    result += fmt::format("  {:7}  {}{}{}\n", word(check.outcome), check.name,
                          check.message.empty() ? "" : ": ", check.message);
  }
  return result + fmt::format("{} passed, {} failed, {} skipped\n", number_of(checks, Outcome::passed),
                              number_of(checks, Outcome::failed), number_of(checks, Outcome::skipped));
}

std::string checks_json(const std::vector<ConformanceCheck>& checks) {
  ordered_json list = ordered_json::array();
  for (const ConformanceCheck& check : checks)
    list.push_back({{"item", check.item},
                    {"name", check.name},
                    {"outcome", word(check.outcome)},
                    {"message", check.message}});
  return dump({{"passed", number_of(checks, Outcome::passed)},
               {"failed", number_of(checks, Outcome::failed)},
               {"skipped", number_of(checks, Outcome::skipped)},
               {"checks", list}});
}

}  // namespace spim::cli
