// Preloaded into a program, remembers what a power cut would leave below $POWER_CUT_ROOT: of a file the bytes
// at its last fsync, of a folder the entries at its last fsync, whatever was written and renamed since.
// power_cut.py puts it back.
//
//     $POWER_CUT_KEPT/file-INODE    the bytes
//     $POWER_CUT_KEPT/folder-INODE  a line "INODE f|d NAME" for each entry
//
// A system may keep more than that, never less.

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

namespace fs = std::filesystem;

/// A name beside `path` for what is not whole yet.
fs::path unfinished(const fs::path& path) {
  static std::atomic<int> number{0};
  return path.parent_path() /
         ("new-" + std::to_string(::getpid()) + "-" + std::to_string(number.fetch_add(1)));
}

struct Place {
  fs::path root, kept;
  Place() {
    if (const char* text = std::getenv("POWER_CUT_ROOT")) root = text;
    if (const char* text = std::getenv("POWER_CUT_KEPT")) kept = text;
  }
};

const Place& place() {
  static const Place the;
  return the;
}

void keep(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  const bool is_folder = S_ISDIR(status.st_mode);
  const fs::path target = place().kept / ((is_folder ? "folder-" : "file-") + std::to_string(status.st_ino));
  const fs::path part = unfinished(target);
  std::error_code error;
  if (is_folder) {
    std::ofstream lines(part);
    for (fs::directory_iterator i(path, error), end; !error && i != end; i.increment(error)) {
      struct stat entry {};
      if (::lstat(i->path().c_str(), &entry) != 0) continue;
      lines << entry.st_ino << (S_ISDIR(entry.st_mode) ? " d " : " f ") << i->path().filename().string()
            << '\n';
    }
  } else {
    fs::copy_file(path, part, error);
  }
  if (!error) fs::rename(part, target, error);
}

void keep_all(const fs::path& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator i(folder, error), end; !error && i != end; i.increment(error))
    keep(i->path());
  keep(folder);
}

/// The path of a descriptor, empty when it is not below the root.
fs::path path_of(int descriptor) {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor), error);
  if (error || place().root.empty() || place().kept.empty()) return {};
  return path.string().starts_with(place().root.string()) ? path : fs::path();
}

using Sync = int (*)(int);

}  // namespace

extern "C" {

int fsync(int descriptor) {
  static const auto next = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, "fsync"));
  if (const fs::path path = path_of(descriptor); !path.empty()) keep(path);
  return next(descriptor);
}

int fdatasync(int descriptor) {
  return fsync(descriptor);
}

int syncfs(int descriptor) noexcept {
  static const auto next = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, "syncfs"));
  if (!path_of(descriptor).empty()) keep_all(place().root);
  return next(descriptor);
}
}
