#include "plugin_library.hpp"

#define BOOST_DLL_USE_STD_FS
#include <dlfcn.h>
#include <fmt/format.h>

#include <boost/dll/shared_library.hpp>

#include "words.hpp"

namespace spim {
namespace {

/// What the system said about the last failure, without the leading path. Boost's own text is of no use: in
/// version 1.74 it ends in "Bad file descriptor" whatever happened.
std::string system_reason(const std::filesystem::path& path) {
  const char* text = ::dlerror();
  std::string reason = text ? printable(text) : "the system gives no reason";
  const std::string prefix = path.string() + ": ";
  if (reason.starts_with(prefix)) reason.erase(0, prefix.size());
  return reason;
}

}  // namespace

const PluginManifest& load_plugin_library(const std::filesystem::path& path) {
  using boost::dll::load_mode::type;
  // Never unloaded, whether or not the plugin was linked with -z nodelete: OpenMP threads, exceptions and
  // instances may outlive every handle.
  constexpr auto kStay = static_cast<type>(RTLD_NODELETE);
  std::error_code failed;
  const boost::dll::shared_library library(
      path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local | kStay, failed);
  if (failed)
    throw Error(fmt::format("{} cannot be loaded: {}; install what is missing or rebuild the plugin",
                            path.string(), system_reason(path)));
  if (!library.has(kManifestSymbol))
    throw Error(
        fmt::format("{} does not export {}; export it with SPIM_EXPORT_PLUGIN and link with the SDK's "
                    "CMake function",
                    path.string(), kManifestSymbol));
  return library.get<const PluginManifest>(kManifestSymbol);
}

}  // namespace spim
