#include <array>

#include "command.hpp"

namespace spim::cli {

// To add a command: declare its function here (it stands in <name>_command.cpp) and add a row to the table.

int run_simulate(const Invocation& call);

namespace {

constexpr std::array kCommands = {
    Command{"simulate", "", "write a synthetic acquisition with known truth", run_simulate},
};

}  // namespace

std::span<const Command> commands() noexcept {
  return kCommands;
}

}  // namespace spim::cli
