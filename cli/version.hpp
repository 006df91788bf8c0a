#pragma once
/// The version of the program, from CMakeLists.txt.

namespace spim::cli {

inline constexpr char kVersion[] = SPIMSTITCH_VERSION;

}  // namespace spim::cli
