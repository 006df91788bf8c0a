#include "spim/host/run_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "durable.hpp"
#include "spim/error.hpp"

namespace spim {

namespace fs = std::filesystem;

namespace {

std::string holder(int file) {
  char text[256] = {};
  const ssize_t n = ::pread(file, text, sizeof(text) - 1, 0);
  return n > 0 ? std::string(text, static_cast<std::size_t>(n)) : std::string("another process");
}

/// The folder may have been removed by the run that held the lock before.
bool still_there(int file) {
  struct stat status {};
  return ::fstat(file, &status) == 0 && status.st_nlink > 0;
}

}  // namespace

RunLock::RunLock(const fs::path& folder, RunSharing sharing) {
  const fs::path path = folder / "lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) throw detail::system_failure(path, "cannot be created", errno);
  const int wanted = sharing == RunSharing::alone ? LOCK_EX : LOCK_SH;
  int code = 0;
  do code = ::flock(file_, wanted | LOCK_NB) == 0 ? 0 : errno;
  while (code == EINTR);
  std::string refusal;
  if (code == EWOULDBLOCK)
    refusal = fmt::format("{}: is being worked on by {}; wait until it is done, or stop it", folder.string(),
                          holder(file_));
  else if (code == 0 && !still_there(file_))
    refusal = fmt::format("{}: has just been finished by {}", folder.string(), holder(file_));
  if (!refusal.empty()) {
    ::close(file_);
    throw Error(refusal);
  }
  holds_ = code == 0;
  const std::string self = detail::process_token();
  if (::ftruncate(file_, 0) == 0 && ::pwrite(file_, self.data(), self.size(), 0) < 0) return;
}

RunLock::~RunLock() {
  ::close(file_);
}

}  // namespace spim
