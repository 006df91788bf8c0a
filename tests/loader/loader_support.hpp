#pragma once
// What the tests of this folder share.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "spim/host/executor.hpp"
#include "spim/host/host_services.hpp"
#include "spim/host/registry.hpp"

namespace loader {

namespace fs = std::filesystem;

/// A folder that is removed at the end of the test.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "spim-loader-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no scratch folder");
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

/// The library of a plugin in this folder's CMakeLists.txt.
inline fs::path plugin_file(const std::string& name) {
  const char* build = std::getenv("SPIM_BUILD_DIR");
  if (!build) throw std::runtime_error("SPIM_BUILD_DIR is not set; run the test with ctest");
  return fs::path(build) / "tests/loader" / name / (name + ".so");
}

inline std::vector<char> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const fs::path& path, const std::vector<char>& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline void write_text(const fs::path& path, const std::string& text) {
  write_file(path, {text.begin(), text.end()});
}

/// Threads, cancellation and a log that remembers.
struct TestHost {
  spim::CancelToken cancel;
  spim::Executor executor{4, cancel};
  std::mutex mutex;
  std::vector<std::string> lines;
  spim::HostServices services{executor, [this](spim::LogLevel, std::string_view line) {
                                const std::lock_guard lock(mutex);
                                lines.emplace_back(line);
                              }};
};

}  // namespace loader
