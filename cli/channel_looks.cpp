#include "channel_looks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "spim/error.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

/// Told apart by most people when they are added up; the first two together are white in the middle.
constexpr const char* kColors[] = {"00FF00", "FF00FF", "00FFFF", "FF8000", "FFFF00", "0080FF", "FF0000"};

/// The items of an option, as many as there are channels; none when it was not given.
std::vector<std::string> items_of(const std::string& text, std::string_view option, std::size_t channels) {
  if (text.empty()) return {};
  std::vector<std::string> items = split(text, ',');
  if (items.size() != channels)
    throw UsageError(fmt::format("option {}: \"{}\" says {} for {} channel{}; give one for each", option,
                                 text, items.size(), channels, channels == 1 ? "" : "s"));
  return items;
}

std::string parse_color(std::string text) {
  if (text.starts_with('#')) text.erase(0, 1);
  const bool hexadecimal = std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (text.size() != 6 || !hexadecimal)
    throw UsageError(fmt::format(
        "option --channel-colors: \"{}\" is not six hexadecimal digits RRGGBB such as 00FF00", text));
  return text;
}

/// The grey levels of "BLACK:WHITE".
void parse_window(const std::string& text, ChannelLabel& look) {
  const std::vector<std::string> sides = split(text, ':');
  if (sides.size() == 2) {
    look.window_start = parse_number(sides[0]);
    look.window_end = parse_number(sides[1]);
    if (look.window_start >= 0 && look.window_start < look.window_end && look.window_end <= 65535) return;
  }
  throw UsageError(fmt::format(
      "option --channel-windows: \"{}\" is not two grey levels BLACK:WHITE, 0 <= BLACK < WHITE <= 65535",
      text));
}

}  // namespace

void add_channel_look_options(CommandLine& line, ChannelLookOptions& options) {
  line.group("Channels, for viewers");
  line.text({"channel-names", "NAME,NAME", "what channels are called; without it as the inputs"},
            options.names);
  line.text({"channel-colors", "RRGGBB,RRGGBB", "colours of channels; without it green, magenta, cyan ..."},
            options.colors);
  line.text({"channel-windows", "BLACK:WHITE,BLACK:WHITE",
             "grey levels shown as black and in full colour; without it percentiles of the voxels"},
            options.windows);
}

std::vector<ChannelLabel> channel_looks(const ChannelLookOptions& options,
                                        const std::vector<std::string>& names) {
  const std::size_t n = names.size();
  const auto labels = items_of(options.names, "--channel-names", n);
  const auto colors = items_of(options.colors, "--channel-colors", n);
  const auto windows = items_of(options.windows, "--channel-windows", n);
  if (n == 1 && labels.empty() && colors.empty() && windows.empty()) return {};
  std::vector<ChannelLabel> looks(n);
  for (std::size_t i = 0; i < n; ++i) {
    looks[i].label = labels.empty() ? names[i] : labels[i];
    if (!colors.empty())
      looks[i].color = parse_color(colors[i]);
    else if (n > 1)
      looks[i].color = kColors[i % std::size(kColors)];
    if (!windows.empty()) parse_window(windows[i], looks[i]);
  }
  return looks;
}

}  // namespace spim::cli
