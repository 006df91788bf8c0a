#pragma once
/// Turns whatever a plugin throws into one sentence of the host.

#include <filesystem>
#include <string>
#include <utility>

#include "spim/error.hpp"
#include "spim/host.hpp"
#include "spim/host/registry.hpp"

namespace spim {

/// A sentence that already names its plugin: it passes through other plugins unchanged.
struct TranslatedError final : Error {
  using Error::Error;
};

/// Which implementation is being called, on what, and on whose behalf.
struct Origin {
  Kind kind = Kind::frame_reader;
  std::string id;
  std::string plugin;
  std::string version;
  std::string path;  ///< of the file that is read; "" for others
  const Host* host = nullptr;
};

/// What a sentence says of an exception that crosses the boundary against the rules.
inline constexpr char kForeignException[] = "it threw something that is not a std::exception";

/// "(reader dcimg of plugin dcimg 0.1.0)".
std::string name_of(const Origin& origin);

/// Rethrows the exception being handled as Cancelled, UsageError or TranslatedError. `where` says what was
/// being done, e.g. "frame 17"; the sentence names it and the file unless the plugin's text does.
[[noreturn]] void rethrow_translated(const Origin& origin, const std::string& where);

/// Throws the sentence that blames the plugin for `what`.
[[noreturn]] void blame(const Origin& origin, const std::string& where, const std::string& what);

/// Calls `f` and translates what it throws. `where` is called only then.
template <class Where, class F>
decltype(auto) translated(const Origin& origin, Where&& where, F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (...) {
    rethrow_translated(origin, where());
  }
}

}  // namespace spim
