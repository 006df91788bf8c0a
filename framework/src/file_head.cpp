#include "file_head.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "spim/error.hpp"

namespace spim {

namespace {

/// The first file that a pattern matches; `path` itself when it is none or matches nothing.
std::filesystem::path file_to_look_at(const std::filesystem::path& path) {
  std::error_code ignored;
  if (path.string().find_first_of("*?[") == std::string::npos || std::filesystem::exists(path, ignored))
    return path;
  glob_t found{};
  std::filesystem::path first = path;
  if (::glob(path.c_str(), 0, nullptr, &found) == 0 && found.gl_pathc > 0) first = found.gl_pathv[0];
  ::globfree(&found);
  return first;
}

}  // namespace

std::vector<unsigned char> head_of(const std::filesystem::path& given) {
  const std::filesystem::path path = file_to_look_at(given);
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
  constexpr std::size_t kHeadBytes = 4096;
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

}  // namespace spim
