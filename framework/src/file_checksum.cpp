#include "spim/host/file_checksum.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include "durable.hpp"
#include "spim/crc32c.hpp"
#include "spim/error.hpp"

namespace spim {

namespace {

constexpr std::size_t kBlock = std::size_t{1} << 18;

class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path)
      : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (number_ < 0) throw detail::system_failure(path, "cannot be opened", errno);
  }
  ~OpenFile() { ::close(number_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int number() const noexcept { return number_; }

 private:
  int number_;
};

std::size_t ceil_div(std::size_t a, std::size_t b) noexcept {
  return (a + b - 1) / b;
}

/// Reads until `words` are full or the file ends; zeros follow. Returns the bytes read.
std::size_t fill(const OpenFile& file, const std::filesystem::path& path, std::span<std::uint64_t> words) {
  const auto bytes = std::as_writable_bytes(words);
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t n = ::read(file.number(), bytes.data() + filled, bytes.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw detail::system_failure(path, "cannot be read", errno);
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
  }
  std::memset(bytes.data() + filled, 0, std::min(bytes.size() - filled, sizeof(std::uint64_t)));
  return filled;
}

/// Overwrites them.
std::uint32_t crc_of_words(std::span<std::uint64_t> words, std::uint32_t before) {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15;
  for (std::uint64_t& word : words) word *= kFactor;
  return crc32c(std::as_bytes(words), before);
}

}  // namespace

FileSum file_sum(const std::filesystem::path& path) {
  const OpenFile file(path);
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) throw detail::system_failure(path, "cannot be examined", errno);
  if (!S_ISREG(status.st_mode)) throw Error(path.string() + " is not a regular file");
  static thread_local std::vector<std::uint64_t> words(kBlock / sizeof(std::uint64_t));
  FileSum sum;
  for (;;) {
    const std::size_t filled = fill(file, path, words);
    sum.bytes += static_cast<std::int64_t>(filled);
    sum.crc = crc_of_words(std::span(words).first(ceil_div(filled, sizeof(std::uint64_t))), sum.crc);
    if (filled < kBlock) return sum;
  }
}

}  // namespace spim
