#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "spim/host/instances.hpp"

namespace spim {
namespace {

constexpr std::size_t kHeadBytes = 4096;

/// The first bytes of a file; nothing for a folder. Anything else could block for ever and is refused.
std::vector<unsigned char> head_of(const std::filesystem::path& path) {
  const auto fail = [&](const char* what) -> Error {
    return Error(fmt::format("{} {}: {}", path.string(), what, std::strerror(errno)));
  };
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw fail("cannot be opened");
  struct Close {
    int descriptor;
    ~Close() { ::close(descriptor); }
  } const close{descriptor};
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw fail("cannot be read");
  if (S_ISDIR(status.st_mode)) return {};
  if (!S_ISREG(status.st_mode))
    throw Error(fmt::format("{} is neither a file nor a folder; give one", path.string()));
  std::vector<unsigned char> head(kHeadBytes);
  std::size_t filled = 0;
  while (filled < head.size()) {
    const ssize_t got = ::read(descriptor, head.data() + filled, head.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw fail("cannot be read");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  head.resize(filled);
  return head;
}

std::vector<std::string> ids_of(const std::vector<Item>& items) {
  std::vector<std::string> ids;
  for (const Item& item : items) ids.emplace_back(item.spec->id);
  return ids;
}

}  // namespace

Item probe_reader(const Registry& registry, Kind kind, const std::filesystem::path& path) {
  const std::vector<unsigned char> head = head_of(path);
  const std::vector<Item> readers = registry.items(kind);
  int best = 0;
  std::vector<Item> winners;
  for (const Item& reader : readers) {
    const int sure = std::min(100, reader.spec->probe(path.c_str(), head.data(), head.size()));
    if (sure <= 0 || sure < best) continue;
    if (sure > best) winners.clear();
    best = sure;
    winners.push_back(reader);
  }
  const std::string_view word = kind_word(kind);
  if (winners.empty())
    throw Error(fmt::format(
        "{} is of a format that no {} knows ({}); choose one with --{}{}", path.string(), word,
        readers.empty() ? "none is installed" : fmt::format("{}", fmt::join(ids_of(readers), ", ")), word,
        registry.refusals()));
  if (winners.size() > 1)
    throw Error(fmt::format("{} may be of several formats ({}, each {} % sure); choose one with --{}{}",
                            path.string(), fmt::join(ids_of(winners), ", "), best, word,
                            registry.refusals()));
  return winners.front();
}

}  // namespace spim
