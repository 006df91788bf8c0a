#include "input_bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "durable.hpp"

namespace spim::detail {

namespace {

// O_NONBLOCK: a pipe that somebody put in the place of a file must not make us wait.
int open_file(const std::filesystem::path& path) {
  int number = 0;
  do number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  while (number < 0 && errno == EINTR);
  return number;
}

}  // namespace

InputBytes::InputBytes(const std::filesystem::path& path) : path_(path), number_(open_file(path)) {
  if (number_ < 0) throw system_failure(path, "cannot be opened", errno);
}

InputBytes::~InputBytes() {
  ::close(number_);
}

std::span<const std::byte> InputBytes::read(std::int64_t offset, std::span<std::byte> to) const {
  std::size_t filled = 0;
  while (filled < to.size()) {
    const ssize_t n = ::pread(number_, to.data() + filled, to.size() - filled,
                              static_cast<off_t>(offset + static_cast<std::int64_t>(filled)));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_failure(path_, "cannot be read", errno);
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
  }
  return to.first(filled);
}

std::optional<std::string> text_if_exists(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw system_failure(path, "cannot be examined", errno);
  }
  const InputBytes file(path);
  std::string text;
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  for (;;) {
    const std::size_t before = text.size();
    text.resize(before + kBlock);
    const auto bytes = file.read(static_cast<std::int64_t>(before),
                                 std::as_writable_bytes(std::span(text.data() + before, kBlock)));
    if (bytes.size() == kBlock) continue;
    text.resize(before + bytes.size());
    return text;
  }
}

}  // namespace spim::detail
