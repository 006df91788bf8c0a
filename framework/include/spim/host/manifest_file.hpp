#pragma once
/// Reads what a plugin says of itself out of its file, before anything of it runs.

#include <cstdint>
#include <filesystem>
#include <string>

#include "spim/plugin.hpp"

namespace spim {

/// Bytes of a file, by position.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  /// Copies `count` bytes from `offset`; both lie inside the file. Throws Error when they cannot be read.
  virtual void read(std::uint64_t offset, void* to, std::size_t count) const = 0;
};

/// The texts and numbers of a manifest, safe to show.
struct ManifestText {
  std::string name, version, vendor, toolchain;
  std::uint32_t abi = 0;
  std::uint32_t size = 0;
};

/// The manifest in the section `spim_manifest` of the ELF64 shared library `file`. Nothing in the file is
/// trusted. Throws Error: one sentence begun with `name`, with the remedy.
ManifestText read_manifest(const ByteSource& file, const std::string& name);

/// The same for the file `path`, which must be a regular file.
ManifestText read_manifest(const std::filesystem::path& path);

/// Why this program cannot use a plugin with such a manifest (its ABI number, toolchain, size, name), as one
/// sentence begun with `name`; "" when it can.
std::string manifest_refusal(const ManifestText& manifest, const std::string& name);

}  // namespace spim
