#include "machine.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// The value of the first line of /proc/cpuinfo that begins with `key`.
std::string cpu_fact(const std::string& key) {
  std::ifstream stream("/proc/cpuinfo");
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(key)) continue;
    const auto colon = line.find(": ");
    return colon == std::string::npos ? "" : line.substr(colon + 2);
  }
  return "";
}

int usable_cores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

/// Mount points have blanks and the like as octal numbers, see proc(5).
std::string without_escapes(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool is_below(const fs::path& path, const fs::path& mount) {
  const auto [end, ignored] = std::mismatch(mount.begin(), mount.end(), path.begin(), path.end());
  return end == mount.end();
}

}  // namespace

Machine this_machine() {
  Machine machine;
  struct utsname system {};
  if (::uname(&system) == 0) {
    machine.host = system.nodename;
    machine.kernel = fmt::format("{} {}", system.sysname, system.release);
  }
  machine.cpu = cpu_fact("model name");
  machine.cores = usable_cores();
  machine.memory_bytes = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) *
                         static_cast<std::int64_t>(::sysconf(_SC_PAGESIZE));
  return machine;
}

fs::path existing_folder(const fs::path& path) {
  std::error_code error;
  fs::path folder = fs::absolute(path).lexically_normal();
  while (!fs::is_directory(folder, error) && folder != folder.parent_path()) folder = folder.parent_path();
  return folder;
}

FileSystem file_system_of(const fs::path& path) {
  std::error_code error;
  const fs::path folder = fs::canonical(existing_folder(path), error);
  FileSystem found;
  // Later mounts hide earlier ones.
  std::ifstream stream("/proc/self/mounts");
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string device, mount, type;
    if (!(words >> device >> mount >> type)) continue;
    mount = without_escapes(mount);
    if (!is_below(folder, mount) || mount.size() < found.mount.size()) continue;
    found = {type, mount};
  }
  return found;
}

}  // namespace spim::cli
