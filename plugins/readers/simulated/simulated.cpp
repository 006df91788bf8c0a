#include "simulated.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

namespace spim {

namespace {

constexpr std::size_t kLargestDescription = std::size_t{1} << 20;

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path + " cannot be opened: " + std::strerror(errno));
  std::string text(kLargestDescription + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw Error(path + " cannot be read: " + std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kLargestDescription)
    throw Error(path + " is larger than 1 MiB, so it is no description of a simulated stack");
  return text;
}

StackSimulator open(const std::string& path) {
  const std::string text = read_text(path);
  try {
    return StackSimulator(stack_from_json(text));
  } catch (const Error& error) {
    throw Error(path + " does not describe a simulated stack: " + error.what());
  }
}

}  // namespace

SimulatedReader::SimulatedReader(Host&, const Options&, std::string_view path)
    : simulator_(open(std::string(path))) {}

int SimulatedReader::probe(const char*, const unsigned char* head, std::uint64_t head_size) noexcept {
  // A description begins with its format; white space may differ.
  const std::string_view text(reinterpret_cast<const char*>(head), static_cast<std::size_t>(head_size));
  const bool object = text.find_first_not_of(" \t\r\n") == text.find('{') && text.find('{') != text.npos;
  return object && text.find("\"simulated-stack\"") != text.npos ? 100 : 0;
}

FrameStamp SimulatedReader::stamp(std::int64_t frame) {
  constexpr std::int64_t kFirst = 1'600'000'000'250'000, kInterval = 10'000;
  return {true, true, static_cast<std::uint32_t>(frame), kFirst + frame * kInterval};
}

void SimulatedReader::describe(MetadataSink& sink) {
  const SimulatedStack& stack = simulator_.stack();
  sink.text("format", "simulated stack");
  sink.integer("seed", static_cast<std::int64_t>(stack.phantom.seed));
  sink.integer("channel", stack.phantom.channel);
  sink.number("y voxel (µm)", stack.y_voxel_um);
  sink.number("x step (µm)", stack.x_step_um);
  sink.number("tilt (degrees)", stack.tilt_degrees);
  sink.text("stored", stack.stored == StoredFrames::as_camera ? "as the camera does" : "oriented");
}

}  // namespace spim
