#pragma once
/// What the program itself takes of a budget of memory.

#include <algorithm>
#include <cstdint>

namespace spim::detail {

/// Libraries, plugins and tables, bytes.
inline constexpr std::int64_t kProgramBytes = std::int64_t{12} << 20;

/// The part of `budget` that the program takes by itself, as far as a small budget has room for it, bytes.
constexpr std::int64_t program_bytes(std::int64_t budget) noexcept {
  return std::min(kProgramBytes, budget / 3);
}

/// The smallest budget that leaves `need` bytes beside the program.
constexpr std::int64_t budget_for(std::int64_t need) noexcept {
  return std::min(need + kProgramBytes, need + (need + 1) / 2);
}

}  // namespace spim::detail
