// Preloaded into a program, makes the disk below $BAD_DISK_ROOT a bad one.
//
//     $BAD_DISK_BYTES  what fits on it; a name takes 256 bytes
//     $BAD_DISK_RULES  lines "CALL TEXT WHEN WHAT"
//
// Each call of CALL on a path that contains TEXT (* for any), or ends with it when it is "TEXT$", is counted.
// WHEN says which of them are concerned: "3" the third, "3+" all from it on, "3*" every third. WHAT is the
// name of an error that they then have instead of an effect, "short" for half of the bytes, or "stop" and
// "kill", which befall the program behind the call.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNameBytes = 256;
constexpr std::pair<std::string_view, int> kErrors[] = {
    {"EINTR", EINTR},   {"EIO", EIO},       {"EMFILE", EMFILE},         {"ENOLCK", ENOLCK},
    {"ENOSPC", ENOSPC}, {"ENOSYS", ENOSYS}, {"EOPNOTSUPP", EOPNOTSUPP}, {"EINVAL", EINVAL}};

struct Rule {
  std::string call, text, what;
  long number = 1;
  char repeated = 0;
  std::atomic<long>* calls = nullptr;

  bool is_meant(std::string_view path) const {
    if (text.ends_with('$')) return path.ends_with(std::string_view(text).substr(0, text.size() - 1));
    return text == "*" || path.find(text) != std::string_view::npos;
  }

  bool concerns(std::string_view name, const std::string& path) const {
    if (call != name || !is_meant(path)) return false;
    const long n = calls->fetch_add(1) + 1;
    return repeated == '+' ? n >= number : repeated == '*' ? n % number == 0 : n == number;
  }
};

struct Disk {
  std::string root;
  std::int64_t size = -1;  ///< -1: no end
  std::vector<Rule> rules;
  std::mutex mutex;
  std::int64_t used = -1;

  Disk() {
    if (const char* text = std::getenv("BAD_DISK_ROOT")) root = text;
    if (const char* text = std::getenv("BAD_DISK_BYTES")) size = std::atoll(text);
    const char* text = std::getenv("BAD_DISK_RULES");
    std::istringstream lines(text != nullptr ? text : "");
    for (std::string line; std::getline(lines, line);) {
      Rule rule;
      std::string when;
      std::istringstream(line) >> rule.call >> rule.text >> when >> rule.what;
      rule.number = std::max(1L, std::atol(when.c_str()));
      if (when.ends_with('+') || when.ends_with('*')) rule.repeated = when.back();
      rule.calls = new std::atomic<long>(0);
      rules.push_back(rule);
    }
  }
};

Disk& disk() {
  static auto* const the = new Disk;  // programs write until their very end
  return *the;
}

std::int64_t bytes_on_disk() {
  std::int64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator i(disk().root, error), end; !error && i != end; i.increment(error)) {
    struct stat status {};
    if (::lstat(i->path().c_str(), &status) != 0) continue;
    bytes += kNameBytes + (S_ISREG(status.st_mode) ? status.st_size : 0);
  }
  return bytes;
}

/// False when there is no place for so many bytes more. Files that go while others are written are noticed
/// when it matters.
bool fits(std::int64_t bytes) {
  Disk& the = disk();
  if (the.size < 0 || bytes <= 0) return true;
  const std::lock_guard lock(the.mutex);
  if (the.used < 0 || the.used + bytes > the.size) the.used = bytes_on_disk();
  if (the.used + bytes > the.size) return false;
  the.used += bytes;
  return true;
}

bool is_below(const std::string& path) {
  const std::string& root = disk().root;
  return !root.empty() && path.starts_with(root);
}

std::string path_of(int descriptor) {
  char text[4096];
  const ssize_t n = ::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), text, sizeof text);
  const std::string path(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  return is_below(path) ? path : std::string();
}

std::string path_at(int folder, const char* path) {
  if (path == nullptr) return {};
  const std::string whole = path[0] == '/'       ? path
                            : folder == AT_FDCWD ? fs::current_path().string() + "/" + path
                                                 : path_of(folder) + "/" + path;
  return is_below(whole) ? whole : std::string();
}

/// What is to become of a call.
struct Fate {
  int error = 0;
  bool is_short = false;
  int signal = 0;
};

Fate fate_of(std::string_view call, const std::string& path) {
  Fate fate;
  if (path.empty()) return fate;
  for (const Rule& rule : disk().rules) {
    if (!rule.concerns(call, path)) continue;
    if (rule.what == "short") fate.is_short = true;
    if (rule.what == "stop") fate.signal = SIGSTOP;
    if (rule.what == "kill") fate.signal = SIGKILL;
    for (const auto& [name, code] : kErrors)
      if (rule.what == name) fate.error = code;
  }
  return fate;
}

template <class Result>
Result failed(int code, Result result) {
  errno = code;
  return result;
}

/// Calls `next` unless something else is to happen.
template <class Next>
auto met(const Fate& fate, Next next) {
  if (fate.error != 0) return failed(fate.error, decltype(next())(-1));
  const auto result = next();
  const int code = errno;
  if (fate.signal != 0) ::kill(::getpid(), fate.signal);
  errno = code;
  return result;
}

std::size_t shortened(const Fate& fate, std::size_t bytes) {
  return fate.is_short ? std::max<std::size_t>(1, bytes / 2) : bytes;
}

bool is_there(int folder, const char* path) {
  struct stat status {};
  return ::fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

std::int64_t length_of(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 ? status.st_size : 0;
}

/// Whether a file may grow to `end` bytes.
bool may_end_at(int descriptor, std::int64_t end) {
  return path_of(descriptor).empty() || fits(end - length_of(descriptor));
}

/// The function that this one stands in front of.
template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

template <class Call>
int open_at(int folder, const char* path, int flags, Call call) {
  const std::string whole = path_at(folder, path);
  if (whole.empty()) return call();
  if ((flags & O_CREAT) != 0 && !is_there(folder, path) && !fits(kNameBytes)) return failed(ENOSPC, -1);
  return met(fate_of("open", whole), call);
}

template <class Call>
ssize_t read_from(int descriptor, std::size_t bytes, Call call) {
  const Fate fate = fate_of("read", disk().rules.empty() ? "" : path_of(descriptor));
  return met(fate, [&] { return call(shortened(fate, bytes)); });
}

template <class Call>
ssize_t write_to(int descriptor, std::int64_t begin, std::size_t bytes, Call call) {
  const std::string path = path_of(descriptor);
  if (path.empty()) return call(bytes);
  const Fate fate = fate_of("write", path);
  const std::size_t some = shortened(fate, bytes);
  if (fate.error == 0 && !may_end_at(descriptor, begin + static_cast<std::int64_t>(some)))
    return failed<ssize_t>(ENOSPC, -1);
  return met(fate, [&] { return call(some); });
}

std::int64_t position(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  return (flags & O_APPEND) != 0 ? length_of(descriptor) : ::lseek(descriptor, 0, SEEK_CUR);
}

template <class Call>
int name_at(std::string_view name, int folder, const char* path, Call call) {
  const std::string whole = path_at(folder, path);
  if (whole.empty()) return call();
  if (!is_there(folder, path) && !fits(kNameBytes)) return failed(ENOSPC, -1);
  return met(fate_of(name, whole), call);
}

mode_t mode_of(int flags, va_list rest) {
  return (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
}

}  // namespace

// NOLINTBEGIN: names and arguments are those of the system
extern "C" {

#define SPIM_OPEN(NAME)                                                             \
  int NAME(const char* path, int flags, ...) {                                      \
    static const auto next = real<int (*)(const char*, int, mode_t)>(#NAME);        \
    va_list rest;                                                                   \
    va_start(rest, flags);                                                          \
    const mode_t mode = mode_of(flags, rest);                                       \
    va_end(rest);                                                                   \
    return open_at(AT_FDCWD, path, flags, [&] { return next(path, flags, mode); }); \
  }
SPIM_OPEN(open)
SPIM_OPEN(open64)

#define SPIM_OPENAT(NAME)                                                                 \
  int NAME(int folder, const char* path, int flags, ...) {                                \
    static const auto next = real<int (*)(int, const char*, int, mode_t)>(#NAME);         \
    va_list rest;                                                                         \
    va_start(rest, flags);                                                                \
    const mode_t mode = mode_of(flags, rest);                                             \
    va_end(rest);                                                                         \
    return open_at(folder, path, flags, [&] { return next(folder, path, flags, mode); }); \
  }
SPIM_OPENAT(openat)
SPIM_OPENAT(openat64)

ssize_t read(int file, void* to, size_t bytes) {
  static const auto next = real<ssize_t (*)(int, void*, size_t)>("read");
  return read_from(file, bytes, [&](size_t n) { return next(file, to, n); });
}

#define SPIM_PREAD(NAME)                                                                \
  ssize_t NAME(int file, void* to, size_t bytes, off_t offset) {                        \
    static const auto next = real<ssize_t (*)(int, void*, size_t, off_t)>(#NAME);       \
    return read_from(file, bytes, [&](size_t n) { return next(file, to, n, offset); }); \
  }
SPIM_PREAD(pread)
SPIM_PREAD(pread64)

ssize_t write(int file, const void* from, size_t bytes) {
  static const auto next = real<ssize_t (*)(int, const void*, size_t)>("write");
  return write_to(file, position(file), bytes, [&](size_t n) { return next(file, from, n); });
}

#define SPIM_PWRITE(NAME)                                                                        \
  ssize_t NAME(int file, const void* from, size_t bytes, off_t offset) {                         \
    static const auto next = real<ssize_t (*)(int, const void*, size_t, off_t)>(#NAME);          \
    return write_to(file, offset, bytes, [&](size_t n) { return next(file, from, n, offset); }); \
  }
SPIM_PWRITE(pwrite)
SPIM_PWRITE(pwrite64)

ssize_t writev(int file, const struct iovec* parts, int count) {
  static const auto next = real<ssize_t (*)(int, const struct iovec*, int)>("writev");
  size_t bytes = 0;
  for (int i = 0; i < count; ++i) bytes += parts[i].iov_len;
  return write_to(file, position(file), bytes, [&](size_t) { return next(file, parts, count); });
}

#define SPIM_FTRUNCATE(NAME)                                                                  \
  int NAME(int file, off_t length) noexcept {                                                 \
    static const auto next = real<int (*)(int, off_t)>(#NAME);                                \
    return may_end_at(file, length)                                                           \
               ? met(fate_of("ftruncate", path_of(file)), [&] { return next(file, length); }) \
               : failed(ENOSPC, -1);                                                          \
  }
SPIM_FTRUNCATE(ftruncate)
SPIM_FTRUNCATE(ftruncate64)

#define SPIM_FALLOCATE(NAME)                                                                          \
  int NAME(int file, int mode, off_t offset, off_t length) {                                          \
    static const auto next = real<int (*)(int, int, off_t, off_t)>(#NAME);                            \
    return may_end_at(file, offset + length) ? next(file, mode, offset, length) : failed(ENOSPC, -1); \
  }
SPIM_FALLOCATE(fallocate)
SPIM_FALLOCATE(fallocate64)

#define SPIM_POSIX_FALLOCATE(NAME)                                                  \
  int NAME(int file, off_t offset, off_t length) {                                  \
    static const auto next = real<int (*)(int, off_t, off_t)>(#NAME);               \
    return may_end_at(file, offset + length) ? next(file, offset, length) : ENOSPC; \
  }
SPIM_POSIX_FALLOCATE(posix_fallocate)
SPIM_POSIX_FALLOCATE(posix_fallocate64)

ssize_t copy_file_range(int from, off_t* begin, int to, off_t* at, size_t bytes, unsigned flags) {
  static const auto next = real<ssize_t (*)(int, off_t*, int, off_t*, size_t, unsigned)>("copy_file_range");
  return write_to(to, at != nullptr ? *at : position(to), bytes,
                  [&](size_t n) { return next(from, begin, to, at, n, flags); });
}

#define SPIM_SYNC(NAME)                                                    \
  int NAME(int file) SPIM_THROWS {                                         \
    static const auto next = real<int (*)(int)>(#NAME);                    \
    return met(fate_of(#NAME, path_of(file)), [&] { return next(file); }); \
  }
#define SPIM_THROWS
SPIM_SYNC(fsync)
SPIM_SYNC(fdatasync)
#undef SPIM_THROWS
#define SPIM_THROWS noexcept
SPIM_SYNC(syncfs)

int flock(int file, int operation) noexcept {
  static const auto next = real<int (*)(int, int)>("flock");
  return met(fate_of("flock", path_of(file)), [&] { return next(file, operation); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto next = real<int (*)(const char*, mode_t)>("mkdir");
  return name_at("mkdir", AT_FDCWD, path, [&] { return next(path, mode); });
}

int link(const char* from, const char* to) noexcept {
  static const auto next = real<int (*)(const char*, const char*)>("link");
  return name_at("link", AT_FDCWD, to, [&] { return next(from, to); });
}

int rename(const char* from, const char* to) noexcept {
  static const auto next = real<int (*)(const char*, const char*)>("rename");
  return met(fate_of("rename", path_at(AT_FDCWD, to)), [&] { return next(from, to); });
}

int renameat2(int of, const char* from, int folder, const char* to, unsigned flags) noexcept {
  static const auto next = real<int (*)(int, const char*, int, const char*, unsigned)>("renameat2");
  return met(fate_of("rename", path_at(folder, to)), [&] { return next(of, from, folder, to, flags); });
}

int unlink(const char* path) noexcept {
  static const auto next = real<int (*)(const char*)>("unlink");
  return met(fate_of("unlink", path_at(AT_FDCWD, path)), [&] { return next(path); });
}

int remove(const char* path) noexcept {
  static const auto next = real<int (*)(const char*)>("remove");
  return met(fate_of("unlink", path_at(AT_FDCWD, path)), [&] { return next(path); });
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  static const auto next = real<int (*)(int, const char*, int)>("unlinkat");
  return met(fate_of("unlink", path_at(folder, path)), [&] { return next(folder, path, flags); });
}
}
// NOLINTEND
