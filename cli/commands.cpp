#include <array>

#include "command.hpp"

namespace spim::cli {

// To add a command: declare its function here (it stands in <name>_command.cpp) and add a row to the table.

namespace {

constexpr std::array<Command, 0> kCommands{};

}  // namespace

std::span<const Command> commands() noexcept {
  return kCommands;
}

}  // namespace spim::cli
