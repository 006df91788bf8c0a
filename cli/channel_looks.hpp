#pragma once
/// Names, colours and contrast of the channels of a volume.

#include <string>
#include <vector>

#include "command_line.hpp"
#include "output_options.hpp"

namespace spim::cli {

struct ChannelLookOptions {
  std::string names, colors, windows;  ///< one for each channel, with commas; "" for our choice
};
/// --channel-names, --channel-colors, --channel-windows.
void add_channel_look_options(CommandLine& line, ChannelLookOptions& options);

/// One look for each of `names`, which are what channels are called unless the options say otherwise; none at
/// all for one channel of which nothing is said. Throws UsageError when there are not as many as channels, or
/// one is no colour or no range.
std::vector<ChannelLabel> channel_looks(const ChannelLookOptions& options,
                                        const std::vector<std::string>& names);

}  // namespace spim::cli
