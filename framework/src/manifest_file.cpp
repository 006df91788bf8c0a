#include "spim/host/manifest_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "elf_section.hpp"
#include "words.hpp"

namespace spim {
namespace {

/// A regular file opened for reading. O_NONBLOCK: a named pipe must not hold the program up.
class OpenFile final : public ByteSource {
 public:
  explicit OpenFile(const std::filesystem::path& path)
      : name_(path.string()), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ < 0) throw Error(fmt::format("{} cannot be opened: {}", name_, std::strerror(errno)));
    struct stat status {};
    const bool known = ::fstat(descriptor_, &status) == 0;
    if (!known || !S_ISREG(status.st_mode)) {
      ::close(descriptor_);
      throw Error(fmt::format("{} is not a regular file; remove it from the plugin folder", name_));
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  ~OpenFile() override { ::close(descriptor_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  std::uint64_t size() const override { return size_; }

  void read(std::uint64_t offset, void* to, std::size_t count) const override {
    auto* out = static_cast<char*>(to);
    while (count > 0) {
      const ssize_t got = ::pread(descriptor_, out, count, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0)
        throw Error(fmt::format("{} cannot be read at byte {}: {}", name_, offset,
                                got < 0 ? std::strerror(errno) : "it became shorter"));
      out += got;
      offset += static_cast<std::uint64_t>(got);
      count -= static_cast<std::size_t>(got);
    }
  }

 private:
  std::string name_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

template <std::size_t N>
std::string text_of(const char (&field)[N]) {
  return printable({field, ::strnlen(field, N)});
}

}  // namespace

ManifestText read_manifest(const ByteSource& file, const std::string& name) {
  const SectionBytes section = find_elf_section(file, name, kManifestSection);
  if (section.size < sizeof(ManifestHeader))
    throw Error(
        fmt::format("{} has a plugin manifest of {} bytes, at least {} are needed; build the plugin "
                    "again",
                    name, section.size, sizeof(ManifestHeader)));
  ManifestHeader header;
  file.read(section.offset, &header, sizeof header);
  if (std::memcmp(header.magic, kManifestMagic, sizeof header.magic) != 0)
    throw Error(
        fmt::format("{} has a section {} that is not a plugin manifest (it does not begin with '{}'); "
                    "export one with SPIM_EXPORT_PLUGIN",
                    name, kManifestSection, kManifestMagic));
  return {text_of(header.name),
          text_of(header.version),
          text_of(header.vendor),
          text_of(header.toolchain),
          header.abi,
          header.size};
}

ManifestText read_manifest(const std::filesystem::path& path) {
  return read_manifest(OpenFile(path), path.string());
}

std::string manifest_refusal(const ManifestText& manifest, const std::string& name) {
  if (manifest.abi < kAbi)
    return fmt::format(
        "{} was built for plugin interface {}, this spimstitch has {}; rebuild the plugin against "
        "the SDK of this spimstitch",
        name, manifest.abi, kAbi);
  if (manifest.abi > kAbi)
    return fmt::format("{} was built for plugin interface {}, this spimstitch has {}; update spimstitch",
                       name, manifest.abi, kAbi);
  if (manifest.toolchain != SPIM_TOOLCHAIN)
    return fmt::format(
        "{} was built with the toolchain '{}', this spimstitch with '{}'; rebuild the plugin with "
        "the same C++ library and settings",
        name, manifest.toolchain, SPIM_TOOLCHAIN);
  if (manifest.size != sizeof(PluginManifest))
    return fmt::format(
        "{} has a manifest of {} bytes, plugin interface {} has {}; rebuild the plugin against "
        "unchanged SDK headers",
        name, manifest.size, kAbi, sizeof(PluginManifest));
  if (!is_word(manifest.name))
    return fmt::format(
        "{} calls itself '{}'; the name of a plugin must be lower-case letters, digits and '-'", name,
        manifest.name);
  if (manifest.version.empty()) return fmt::format("{} has no version; give one in SPIM_EXPORT_PLUGIN", name);
  return "";
}

}  // namespace spim
