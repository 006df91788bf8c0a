// Puts frames through a destriper of the build, for tests in other languages. One argument, a JSON object:
//   {"id":…, "options":{…}, "rows":n, "columns":n, "frames":n, "raw":FILE}
// FILE holds the frames as float32, row after row, and gets the results.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "spim/error.hpp"
#include "spim/host/executor.hpp"
#include "spim/host/host_services.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/registry.hpp"

namespace {

using nlohmann::json;
using namespace spim;

void transfer(std::fstream& file, std::vector<float>& frame, std::int64_t index, const char* how) {
  const auto bytes = static_cast<std::streamsize>(frame.size() * sizeof(float));
  if (how[0] == 'r')
    file.seekg(index * bytes).read(reinterpret_cast<char*>(frame.data()), bytes);
  else
    file.seekp(index * bytes).write(reinterpret_cast<const char*>(frame.data()), bytes);
  if (!file) throw Error(fmt::format("frame {} cannot be {}", index, how));
}

void destripe(const json& job) {
  SearchPath path;
  path.folders = {std::getenv("SPIM_PLUGIN_DIR")};
  const Registry registry(path);
  const CancelToken cancel;
  const Executor executor(1, cancel);
  HostServices host(executor);
  const Selection selection{job.at("id"), job.value("options", std::map<std::string, std::string>{})};
  const auto destriper = create_destriper(registry, host, selection);
  const std::int64_t rows = job.at("rows"), columns = job.at("columns"), frames = job.value("frames", 1);
  std::vector<float> frame(static_cast<std::size_t>(rows * columns));
  std::fstream file(job.at("raw").get<std::string>(), std::ios::in | std::ios::out | std::ios::binary);
  for (std::int64_t i = 0; i < frames; ++i) {
    transfer(file, frame, i, "read");
    destriper->apply({frame.data(), rows, columns, columns});
    transfer(file, frame, i, "written");
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2 || !std::getenv("SPIM_PLUGIN_DIR"))
      throw Error("give one JSON object; SPIM_PLUGIN_DIR must be set");
    destripe(json::parse(argv[1]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
