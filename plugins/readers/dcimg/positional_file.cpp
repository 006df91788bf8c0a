#include "positional_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "spim/error.hpp"

namespace spim::dcimg_reader {
namespace {

/// Linux transfers at most 0x7ffff000 bytes per call; a round number below that.
constexpr std::size_t kLargestRequest = std::size_t{1} << 30;

std::string reason(int error) {
  return std::generic_category().message(error);
}

}  // namespace

PositionalFile::PositionalFile(std::string_view path) : path_(path) {
  // A pipe would block here for ever without O_NONBLOCK, which means nothing for regular files.
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0)
    throw Error(
        fmt::format("{} cannot be opened: {}; check the path and its permissions", path_, reason(errno)));
  if (::fstat(fd_, &opened_) != 0 || !S_ISREG(opened_.st_mode)) {
    ::close(fd_);
    throw Error(fmt::format("{} is not a regular file; give a .dcimg file", path_));
  }
  // Only a hint: the reader is right without it.
  (void)::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
}

PositionalFile::~PositionalFile() {
  ::close(fd_);
}

std::size_t PositionalFile::read(std::int64_t at, void* to, std::size_t size,
                                 std::string_view subject) const {
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n = ::pread(fd_, static_cast<char*>(to) + got, std::min(size - got, kLargestRequest),
                              at + static_cast<std::int64_t>(got));
    if (n > 0)
      got += static_cast<std::size_t>(n);
    else if (n == 0)
      break;
    else if (errno != EINTR)
      throw Error(fmt::format("{} of {} cannot be read: {} at byte {}; check the disk or copy the file again",
                              subject, path_, reason(errno), at + static_cast<std::int64_t>(got)));
  }
  return got;
}

void PositionalFile::check_unchanged() const {
  struct ::stat now {};
  if (::fstat(fd_, &now) != 0)
    throw Error(fmt::format("{} cannot be examined: {}; check the disk", path_, reason(errno)));
  const auto time = [](const struct ::stat& s) { return std::pair(s.st_mtim.tv_sec, s.st_mtim.tv_nsec); };
  if (now.st_size != opened_.st_size || time(now) != time(opened_))
    throw Error(fmt::format(
        "{} was changed while it was being read: {} bytes, now {}; wait until nothing writes to it", path_,
        opened_.st_size, now.st_size));
}

}  // namespace spim::dcimg_reader
