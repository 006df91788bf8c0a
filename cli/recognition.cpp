#include "recognition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace spim::cli {

namespace fs = std::filesystem;

int confidence(const Item& item, const fs::path& path) {
  if (item.spec->probe == nullptr) return 0;
  unsigned char head[4096];
  std::uint64_t size = 0;
  std::error_code error;
  if (fs::is_regular_file(path, error)) {
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(head), sizeof(head));
    size = static_cast<std::uint64_t>(file.gcount());
  }
  return item.spec->probe(path.c_str(), head, size);
}

namespace {

/// How sure the surest reader of a kind is.
int surest(const Registry& registry, Kind kind, const fs::path& path) {
  int best = 0;
  for (const Item& item : registry.items(kind)) best = std::max(best, confidence(item, path));
  return best;
}

}  // namespace

bool is_recognised(const Registry& registry, const fs::path& path, const Selections& plugins) {
  return !plugins.reader.id.empty() || !plugins.volume_reader.id.empty() ||
         surest(registry, Kind::volume_reader, path) > 0 || surest(registry, Kind::frame_reader, path) > 0;
}

Kind recognise(const Registry& registry, const fs::path& path, const Selections& plugins, Kind preferred) {
  std::error_code error;
  // A pattern names the files of a stack of frames.
  if (!fs::exists(path, error) && path.string().find_first_of("*?[") != std::string::npos)
    return Kind::frame_reader;
  if (!fs::exists(path, error)) throw Error(fmt::format("{}: does not exist", path.string()));
  if (!plugins.reader.id.empty()) return Kind::frame_reader;
  if (!plugins.volume_reader.id.empty()) return Kind::volume_reader;
  const int volume = surest(registry, Kind::volume_reader, path),
            frames = surest(registry, Kind::frame_reader, path);
  if (volume == frames && volume > 0) return preferred;
  return volume > frames ? Kind::volume_reader : Kind::frame_reader;
}

}  // namespace spim::cli
