#pragma once
// What the tests of this folder share.
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "spim/host/executor.hpp"
#include "spim/host/host_services.hpp"
#include "spim/host/registry.hpp"
#include "support/temporary_folder.hpp"

namespace loader {

namespace fs = std::filesystem;
using spim::test::read_file;
using spim::test::TemporaryFolder;
using spim::test::write_file;

/// The library of a plugin in this folder's CMakeLists.txt.
inline fs::path plugin_file(const std::string& name) {
  const char* build = std::getenv("SPIM_BUILD_DIR");
  if (!build) throw std::runtime_error("SPIM_BUILD_DIR is not set; run the test with ctest");
  return fs::path(build) / "tests/loader" / name / (name + ".so");
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
