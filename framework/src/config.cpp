// Selections: settings of the command line, precedence, completion. The JSON side is in config_json.cpp.
#include "spim/host/config.hpp"

#include <fmt/format.h>

#include "spim/host/nearest.hpp"

namespace spim {

Selection& Selections::of(Kind kind) {
  switch (kind) {
    case Kind::frame_reader:
      return reader;
    case Kind::volume_reader:
      return volume_reader;
    case Kind::volume_writer:
      return writer;
    case Kind::destriper:
      return destripe;
    case Kind::aligner:
      return aligner;
  }
  throw Error(fmt::format("there is no kind {} of plugins", static_cast<std::uint32_t>(kind)));
}

void set_option(Selections& selections, std::string_view setting) {
  const std::size_t dot = setting.find('.');
  const std::size_t equals = setting.find('=');
  if (dot == std::string_view::npos || equals == std::string_view::npos || dot > equals || equals == dot + 1)
    throw UsageError(
        fmt::format("--set {} is not of the form KIND.option=value, e.g. writer.level=5", setting));
  const std::string_view word = setting.substr(0, dot);
  const auto kind = kind_of_word(word);
  if (!kind) {
    std::vector<std::string> known;
    for (const Kind each : kAllKinds) known.emplace_back(kind_word(each));
    throw UsageError(
        fmt::format("--set {} names the unknown kind '{}'; {}", setting, word, nearest_hint(word, known)));
  }
  const std::string option(setting.substr(dot + 1, equals - dot - 1));
  selections.of(*kind).options[option] = setting.substr(equals + 1);
}

Selections overlay(const Selections& below, const Selections& above) {
  Selections result = below;
  for (const Kind kind : kAllKinds) {
    const Selection& upper = above.of(kind);
    Selection& lower = result.of(kind);
    if (!upper.id.empty() && upper.id != lower.id) {
      // Options that were meant for another implementation do not apply; those for whatever would be found
      // or taken by default do.
      if (!lower.id.empty()) lower.options.clear();
      lower.id = upper.id;
    }
    for (const auto& [name, value] : upper.options) lower.options[name] = value;
  }
  return result;
}

Selections complete(const Selections& selections, const Registry& registry) {
  Selections result = selections;
  for (const Kind kind : kAllKinds) {
    Selection& selection = result.of(kind);
    if (!selection.id.empty()) {
      const Item item = registry.find(kind, selection.id);
      selection.options = complete_options(table_of(*item.spec), selection.options,
                                           fmt::format("{} {}", kind_word(kind), selection.id))
                              .texts();
    } else if (!selection.options.empty() && kind != Kind::frame_reader && kind != Kind::volume_reader) {
      throw UsageError(fmt::format("option {}.{} is set, but no {} is chosen; add --{} ID", kind_word(kind),
                                   selection.options.begin()->first, kind_word(kind), kind_word(kind)));
    }
  }
  return result;
}

}  // namespace spim
