/// plugins: what is installed and what was refused.

#include <cstdio>

#include "command.hpp"
#include "command_line.hpp"
#include "common_options.hpp"
#include "plugin_listing.hpp"
#include "session.hpp"
#include "spim/error.hpp"
#include "spim/host/nearest.hpp"

namespace spim::cli {
namespace {

/// "KIND/ID", or "ID" alone when only one kind has it.
Item find_item(const Registry& registry, const std::string& name) {
  std::vector<std::string> known;
  std::vector<Item> same_id;
  for (const Kind kind : kAllKinds)
    for (const Item& item : registry.items(kind)) {
      known.push_back(std::string(kind_word(kind)) + "/" + item.spec->id);
      if (known.back() == name) return item;
      if (item.spec->id == name) same_id.push_back(item);
    }
  if (same_id.size() == 1) return same_id.front();
  throw UsageError("there is no plugin item '" + name + "'; " + nearest_hint(name, known) +
                   registry.refusals());
}

}  // namespace

int run_plugins(const Invocation& call) {
  CommonOptions common;
  bool json = false;
  std::vector<std::string> words;
  CommandLine line(
      call.program, "[list | show KIND/ID] [--json]",
      "Lists the readers, writers and methods that plugins bring, and the plugins that were refused "
      "with the reason, or shows one of them with its options.");
  line.arguments(
      {"list | show KIND/ID", "", "list everything (the default), or show one, e.g. show writer/zarr"}, words,
      {0, 2});
  line.flag({"json", "", "print JSON; options are a JSON Schema then"}, json);
  add_general_options(line, common);
  if (!line.parse(call.arguments)) return kDone;
  const std::string verb = words.empty() ? "list" : words.front();
  const bool list = verb == "list" && words.size() <= 1;
  if (!list && (verb != "show" || words.size() != 2))
    throw UsageError(call.program + " expects \"list\" or \"show KIND/ID\"; see " + call.program + " --help");

  Session session(common, *call.cancel);
  const Registry& registry = session.registry();
  const std::string text =
      list ? (json ? list_json(registry) : list_text(registry))
           : (json ? item_json(find_item(registry, words[1])) : item_text(find_item(registry, words[1])));
  std::fputs(text.c_str(), stdout);
  return kDone;
}

}  // namespace spim::cli
