#include "common/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <system_error>
#include <utility>

#include "spim/error.hpp"

namespace spim::chunked {

namespace {

[[noreturn]] void fail(std::string_view verb, const std::filesystem::path& path, int code) {
  std::string reason = std::error_code(code, std::generic_category()).message();
  if (!reason.empty()) reason[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(reason[0])));
  const bool is_full = code == ENOSPC || code == EDQUOT;
  throw Error(fmt::format("{} cannot be {}: {}{}", path.string(), verb, reason,
                          is_full ? "; free some space or choose an output on another disk" : ""));
}

// One system call moves at most this much, so that no count exceeds what the kernel accepts at once.
constexpr std::size_t kLargestRequest = std::size_t{1} << 30;

}  // namespace

std::optional<File> File::open_if_exists(const std::filesystem::path& path) {
  // O_NONBLOCK: a pipe that somebody put in the place of a file must not make us wait.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    fail("opened", path, errno);
  }
  File file(descriptor, path);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail("opened", path, errno);
  if (!S_ISREG(status.st_mode)) throw Error(fmt::format("{} is not a regular file", path.string()));
  return file;
}

File File::open(const std::filesystem::path& path) {
  auto file = open_if_exists(path);
  if (!file) fail("opened", path, ENOENT);
  return std::move(*file);
}

File File::create(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) fail("created", path, errno);
  return {descriptor, path};
}

File File::reopen(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) fail("opened", path, errno);
  return {descriptor, path};
}

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::uint64_t File::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail("examined", path_, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

void File::read(std::uint64_t offset, std::span<std::byte> to) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t n = ::pread(descriptor_, to.data() + done, std::min(to.size() - done, kLargestRequest),
                              static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("read", path_, errno);
    if (n == 0)
      throw Error(fmt::format("{} ends at byte {}; {} bytes from {} on are wanted", path_.string(),
                              offset + done, to.size(), offset));
    done += static_cast<std::size_t>(n);
  }
}

void File::write(std::uint64_t offset, std::span<const std::byte> from) const {
  std::size_t done = 0;
  while (done < from.size()) {
    const ssize_t n = ::pwrite(descriptor_, from.data() + done, std::min(from.size() - done, kLargestRequest),
                               static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("written", path_, n < 0 ? errno : ENOSPC);
    done += static_cast<std::size_t>(n);
  }
}

void File::resize(std::uint64_t size) const {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) fail("resized", path_, errno);
}

void File::begin_sync() const noexcept {
  ::sync_file_range(descriptor_, 0, 0, SYNC_FILE_RANGE_WRITE);  // a hint: what fails is told by sync()
}

void File::sync() const {
  int result = 0;
  do result = ::fsync(descriptor_);
  while (result != 0 && errno == EINTR);
  // Some network file systems know no such thing and say EINVAL.
  if (result != 0 && errno != EINVAL) fail("written", path_, errno);
}

void File::close() {
  // Not repeated after EINTR: Linux has released the descriptor by then.
  if (::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) fail("closed", path_, errno);
}

std::string read_text(const File& file, std::uint64_t limit) {
  const std::uint64_t size = file.size();
  if (size > limit)
    throw Error(
        fmt::format("{} has {} bytes; a file of its kind has at most {}", file.path().string(), size, limit));
  std::string text(size, '\0');
  file.read(0, std::as_writable_bytes(std::span(text.data(), text.size())));
  return text;
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  File file = File::create(path);
  file.write(0, bytes_of_text(text));
  file.close();
}

std::filesystem::path partial_name(const std::filesystem::path& path) {
  static std::atomic<unsigned> number{0};
  char host[65] = {};
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = 0;
  std::replace(std::begin(host), std::end(host), '/', '_');
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return path.parent_path() /
         fmt::format(".{}.partial-{}-{}-{}-{}", path.filename().string(), host, ::getpid(),
                     std::chrono::duration_cast<std::chrono::nanoseconds>(now).count(), number++);
}

void publish_file(const std::filesystem::path& partial, const std::filesystem::path& path) {
  if (::rename(partial.c_str(), path.c_str()) != 0) fail("given its final name", path, errno);
}

bool publish_new_file(const std::filesystem::path& partial, const std::filesystem::path& path) {
  // In one step: between a look and a rename another process may put its copy there.
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return false;
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) fail("given its final name", path, errno);
  struct stat ignored {};
  if (::lstat(path.c_str(), &ignored) == 0 || errno != ENOENT) return false;
  publish_file(partial, path);
  return true;
}

void write_whole(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::error_code ignored;
  if (!std::filesystem::exists(path.parent_path(), ignored)) create_folders(path.parent_path());
  const std::filesystem::path partial = partial_name(path);
  try {
    File file = File::create(partial);
    file.write(0, bytes);
    file.begin_sync();
    file.close();
    publish_file(partial, path);
  } catch (...) {
    ::unlink(partial.c_str());
    throw;
  }
}

void create_folder(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0777) != 0) fail("created", path, errno);
}

void create_folders(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed) fail("created", path, failed.value());
}

bool is_file(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return S_ISREG(status.st_mode);
  if (errno != ENOENT && errno != ENOTDIR) fail("examined", path, errno);
  return false;
}

}  // namespace spim::chunked
