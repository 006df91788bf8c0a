#pragma once
/// How a shared library says what it is: a table and a macro. See sdk/README.md.

#include <cstdint>
#include <string_view>

#include "spim/aligner.hpp"
#include "spim/destriper.hpp"
#include "spim/frame_reader.hpp"
#include "spim/host.hpp"
#include "spim/options.hpp"
#include "spim/volume_reader.hpp"
#include "spim/volume_writer.hpp"

namespace spim {

/// Number of the binary interface: host and plugin must agree exactly. History and remedies: sdk/ABI.md.
inline constexpr std::uint32_t kAbi = 1;

#if !defined(__x86_64__) || !defined(__linux__) || !defined(__GLIBCXX__)
#error "spimstitch plugins are built for x86-64 Linux with libstdc++"
#endif
#if defined(_GLIBCXX_DEBUG)
#define SPIM_TOOLCHAIN "x86_64-linux libstdc++ debug cxx11=1"
#elif _GLIBCXX_USE_CXX11_ABI
#define SPIM_TOOLCHAIN "x86_64-linux libstdc++ cxx11=1"
#else
#define SPIM_TOOLCHAIN "x86_64-linux libstdc++ cxx11=0"
#endif

/// One implementation in a plugin.
struct ItemSpec {
  Kind kind;
  Concurrency concurrency;
  const char* id;       ///< the word users type: lower case, digits, '-'
  const char* summary;  ///< one line
  const OptionSpec* options;
  std::uint32_t option_count;
  /// Returns a new instance as a pointer to its interface; `path` is "" for kinds without one. Throws on
  /// failure.
  void* (*create)(Host& host, const Options& options, const char* path);
  /// Readers only (else null): how sure this is our format, 0 (no) … 100 (certain). Cheap, throws nothing;
  /// `head` holds the first bytes of the file, or nothing if `path` is a folder.
  int (*probe)(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept;
};

/// Text that is read from the file before anything of the plugin runs: fixed arrays, no pointers.
struct ManifestHeader {
  char magic[16];
  std::uint32_t abi;
  std::uint32_t size;  ///< sizeof(PluginManifest) at build time
  char toolchain[64];
  char name[48];
  char version[24];
  char vendor[64];
};

/// The one symbol that a plugin exports, `spim_plugin_manifest`, also an ELF section of its own.
struct PluginManifest {
  ManifestHeader header;
  const ItemSpec* items;
  std::uint64_t item_count;
};

inline constexpr char kManifestMagic[16] = "spimstitch/plug";
inline constexpr char kManifestSymbol[] = "spim_plugin_manifest";
inline constexpr char kManifestSection[] = "spim_manifest";

namespace detail {

template <std::size_t N, std::size_t M>
consteval void copy_text(char (&to)[N], const char (&from)[M]) {
  static_assert(M <= N, "text of the plugin manifest is too long");
  for (std::size_t i = 0; i < M; ++i) to[i] = from[i];
}

template <class T>
void* create(Host& host, const Options& options, const char* path) {
  if constexpr (T::kKind == Kind::destriper)
    return static_cast<Destriper*>(new T(host, options));
  else if constexpr (T::kKind == Kind::aligner)
    return static_cast<Aligner*>(new T(host, options));
  else if constexpr (T::kKind == Kind::frame_reader)
    return static_cast<FrameReader*>(new T(host, options, std::string_view(path)));
  else if constexpr (T::kKind == Kind::volume_reader)
    return static_cast<VolumeReader*>(new T(host, options, std::string_view(path)));
  else
    return static_cast<VolumeWriter*>(new T(host, options, std::string_view(path)));
}

template <class T>
constexpr auto probe_of() -> int (*)(const char*, const unsigned char*, std::uint64_t) noexcept {
  if constexpr (T::kKind == Kind::frame_reader || T::kKind == Kind::volume_reader)
    return &T::probe;
  else
    return nullptr;
}

template <std::size_t NameSize, std::size_t VersionSize, std::size_t VendorSize>
consteval ManifestHeader header(const char (&name)[NameSize], const char (&version)[VersionSize],
                                const char (&vendor)[VendorSize]) {
  ManifestHeader h{};
  copy_text(h.magic, kManifestMagic);
  h.abi = kAbi;
  h.size = sizeof(PluginManifest);
  copy_text(h.toolchain, SPIM_TOOLCHAIN);
  copy_text(h.name, name);
  copy_text(h.version, version);
  copy_text(h.vendor, vendor);
  return h;
}

}  // namespace detail

/// One row of a plugin's table: T implements one of the interfaces and is called `id` on the command line. A
/// reader also has `static int probe(const char*, const unsigned char*, std::uint64_t) noexcept`.
template <class T, std::size_t N>
constexpr ItemSpec implement(const char* id, const char* summary, Concurrency concurrency,
                             const OptionSpec (&options)[N]) {
  return {T::kKind, concurrency, id, summary, options, N, &detail::create<T>, detail::probe_of<T>()};
}

/// The same for an implementation without options.
template <class T>
constexpr ItemSpec implement(const char* id, const char* summary, Concurrency concurrency) {
  return {T::kKind, concurrency, id, summary, nullptr, 0, &detail::create<T>, detail::probe_of<T>()};
}

}  // namespace spim

/// Makes the library a plugin. `items` is a constexpr array of ItemSpec with static storage; the texts are
/// literals.
#define SPIM_EXPORT_PLUGIN(name, version, vendor, items)                                \
  extern "C" __attribute__((visibility("default"), section("spim_manifest")))           \
  const ::spim::PluginManifest spim_plugin_manifest;                                    \
  __attribute__((used)) constinit const ::spim::PluginManifest spim_plugin_manifest = { \
      ::spim::detail::header(name, version, vendor), items, sizeof(items) / sizeof((items)[0])}
