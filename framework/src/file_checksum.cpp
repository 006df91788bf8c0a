#include "spim/host/file_checksum.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
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

}  // namespace

FileSum file_sum(const std::filesystem::path& path) {
  const OpenFile file(path);
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) throw detail::system_failure(path, "cannot be examined", errno);
  if (!S_ISREG(status.st_mode)) throw Error(path.string() + " is not a regular file");
  static thread_local std::vector<std::byte> buffer(kBlock);
  FileSum sum;
  for (;;) {
    const ssize_t n = ::read(file.number(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw detail::system_failure(path, "cannot be read", errno);
    if (n == 0) return sum;
    sum.crc = crc32c({buffer.data(), static_cast<std::size_t>(n)}, sum.crc);
    sum.bytes += n;
  }
}

}  // namespace spim
