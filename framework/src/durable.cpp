#include "durable.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <set>
#include <system_error>
#include <vector>

namespace spim::detail {

namespace fs = std::filesystem;

namespace {

/// Above this number of files one syncfs() is cheaper than a journal commit per file.
constexpr std::size_t kFewFiles = 64;

class Descriptor {
 public:
  explicit Descriptor(const fs::path& path)
      : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {
    if (number_ < 0) throw system_failure(path, "cannot be opened", errno);
  }
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const noexcept { return number_; }

 private:
  int number_;
};

/// Network file systems may be interrupted in it.
int uninterrupted(int (*sync)(int), int descriptor) {
  int result = 0;
  do result = sync(descriptor);
  while (result != 0 && errno == EINTR);
  return result;
}

void sync_one(const fs::path& path) {
  const Descriptor file(path);
  // Some network file systems cannot sync a folder and say EINVAL; there is nothing more to be done then.
  if (uninterrupted(::fsync, file.number()) != 0 && errno != EINVAL)
    throw system_failure(path, "cannot be written to the disk", errno);
}

/// The whole file system that `folder` is on.
void sync_all(const fs::path& folder) {
  const Descriptor file(folder);
  if (uninterrupted(::syncfs, file.number()) != 0)
    throw system_failure(folder, "cannot be written to the disk", errno);
}

struct Contents {
  std::vector<fs::path> files;
  std::vector<fs::path> folders;
};

Contents contents_of(const fs::path& folder) {
  Contents found;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, error);
  while (!error && it != fs::recursive_directory_iterator()) {
    const fs::file_status status = it->symlink_status(error);
    if (error) break;
    if (fs::is_directory(status)) found.folders.push_back(it->path());
    if (fs::is_regular_file(status)) found.files.push_back(it->path());
    it.increment(error);
  }
  if (error) throw system_failure(folder, "cannot be listed", error.value());
  return found;
}

/// Writes all of `text` to a new file and forces it to the disk.
void write_durably(const fs::path& file, std::string_view text) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) throw system_failure(file, "cannot be created", errno);
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  const bool done = text.empty() && uninterrupted(::fsync, descriptor) == 0;
  const int reason = errno;
  if (::close(descriptor) != 0 && done) throw system_failure(file, "cannot be written", errno);
  if (!done) throw system_failure(file, "cannot be written", reason);
}

/// As it stands in tokens.
std::string host_name() {
  char host[256] = {};
  if (::gethostname(host, sizeof(host) - 1) != 0 || host[0] == 0) std::strcpy(host, "host");
  std::string name(host);
  std::replace(name.begin(), name.end(), '/', '_');
  return name.substr(0, 64);
}

/// True for a "HOST-PROCESS-…" of this machine whose process has ended.
bool is_of_the_dead(std::string_view token) {
  const std::string ours = host_name() + "-";
  if (!token.starts_with(ours)) return false;
  long process = 0;
  const std::string_view rest = token.substr(ours.size());
  const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), process);
  if (failure != std::errc() || end == rest.data() + rest.size() || *end != '-' || process <= 0) return false;
  return ::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH;
}

std::string remedy(int code) {
  switch (code) {
    case EACCES:
    case EPERM:
      return "; make it writable for this user or choose another output";
    case EROFS:
      return "; choose an output on a file system that can be written";
    case ENOSPC:
    case EDQUOT:
      return "; free some space or choose an output on another disk";
    case ENAMETOOLONG:
      return "; choose a shorter name";
    case ENOTDIR:
      return "; a part of the path is a file: choose another output";
    case EIO:
      return "; the disk reports an error: choose an output on another disk";
    default:
      return "";
  }
}

}  // namespace

Error system_failure(const fs::path& path, const std::string& what, int code) {
  return Error(
      fmt::format("{} {}: {}{}", path.string(), what, std::generic_category().message(code), remedy(code)));
}

void sync_folder(const fs::path& folder) {
  sync_one(folder);
}

void make_durable(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (!fs::exists(status)) throw system_failure(path, "was not written", error ? error.value() : ENOENT);
  if (!fs::is_directory(status)) return sync_one(path);
  const Contents contents = contents_of(path);
  if (contents.files.size() + contents.folders.size() > kFewFiles) return sync_all(path);
  for (const fs::path& file : contents.files) sync_one(file);
  for (const fs::path& folder : contents.folders) sync_one(folder);
  sync_one(path);
}

void create_folders_durably(const fs::path& folder) {
  std::vector<fs::path> entered;  // folders that get a new entry
  std::error_code error;
  fs::path missing = fs::absolute(folder);
  for (; !fs::exists(missing, error) && missing != missing.parent_path(); missing = missing.parent_path())
    entered.push_back(missing.parent_path());
  fs::create_directories(folder, error);
  if (error) throw system_failure(folder, "cannot be created", error.value());
  for (const fs::path& parent : entered) sync_one(parent);
}

void make_files_durable(const fs::path& root, const std::vector<std::string>& files) {
  if (files.size() > kFewFiles) return sync_all(root);
  std::set<fs::path> folders;
  for (const std::string& file : files) {
    if (fs::path(file).is_relative()) folders.insert(fs::absolute(root).parent_path());
    if (file.empty()) {
      sync_one(root);
      continue;
    }
    sync_one(root / file);
    fs::path above = fs::path(file).parent_path();
    folders.insert(root / above);
    // Folders that were there before need nothing.
    for (; above.is_relative() && !above.empty(); above = above.parent_path())
      folders.insert(root / above.parent_path());
  }
  for (const fs::path& folder : folders) sync_one(folder);
}

std::string process_token() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  return fmt::format("{}-{}-{}", host_name(), ::getpid(), nanoseconds);
}

void write_new_file(const fs::path& file, std::string_view text) {
  const fs::path temporary = file.string() + fmt::format(".{}.tmp", process_token());
  int code = 0;
  try {
    write_durably(temporary, text);
    code = ::link(temporary.c_str(), file.c_str()) == 0 ? 0 : errno;
    // Without hard links nobody can be kept from replacing it in the same moment.
    struct stat ignored {};
    if (code != 0 && code != EEXIST && ::lstat(file.c_str(), &ignored) != 0)
      code = ::rename(temporary.c_str(), file.c_str()) == 0 ? 0 : errno;
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  ::unlink(temporary.c_str());
  if (code != 0 && code != EEXIST) throw system_failure(file, "cannot be put in place", code);
  sync_folder(file.parent_path());
}

void replace_file(const fs::path& file, std::string_view text) {
  const fs::path temporary = file.string() + fmt::format(".{}.tmp", process_token());
  try {
    write_durably(temporary, text);
    if (::rename(temporary.c_str(), file.c_str()) != 0)
      throw system_failure(file, "cannot be put in place", errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void remove_abandoned(const fs::path& target) noexcept try {
  const std::string name = fs::absolute(target).filename().string();
  const std::string partial = "." + name + ".partial-", text = name + ".", end_of_text = ".tmp";
  std::vector<fs::path> abandoned;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::absolute(target).parent_path())) {
    const std::string found = entry.path().filename().string();
    const bool is_text = found.starts_with(text) && found.ends_with(end_of_text);
    if ((found.starts_with(partial) && is_of_the_dead(std::string_view(found).substr(partial.size()))) ||
        (is_text && is_of_the_dead(std::string_view(found).substr(text.size()))))
      abandoned.push_back(entry.path());
  }
  std::error_code ignored;
  for (const fs::path& path : abandoned) fs::remove_all(path, ignored);
} catch (const std::exception&) {
  // What is left costs space only.
}

}  // namespace spim::detail
