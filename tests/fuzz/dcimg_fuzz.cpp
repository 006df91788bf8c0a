// link: spim_dcimg
/// Any bytes as a DCIMG file: opened, described and read, or refused with an Error; never anything else.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "dcimg.hpp"
#include "memory_file.hpp"
#include "spim/error.hpp"

namespace {

class SilentHost final : public spim::Host {
 public:
  void log(spim::LogLevel, std::string_view) noexcept override {}
  bool cancelled() const noexcept override { return false; }
  void parallel_for(std::int64_t, void (*)(void*, std::int64_t), void*) override {}
};

class SilentSink final : public spim::MetadataSink {
 public:
  void text(std::string_view, std::string_view) override {}
  void integer(std::string_view, std::int64_t) override {}
  void number(std::string_view, double) override {}
};

void read_all(spim::DcimgReader& reader, std::int64_t file_bytes) {
  const spim::StackInfo info = reader.info();
  if (info.frames > info.declared || info.rows <= 0 || info.columns <= 0) std::abort();
  if (info.frames == 0) return;
  // A frame that can be read lies in the file, so that no header makes a host ask for absurd memory.
  if (info.columns > file_bytes || info.rows > file_bytes / info.columns) std::abort();
  std::vector<std::uint16_t> pixels(static_cast<std::size_t>(info.rows * (info.columns + 3)));
  for (const std::int64_t frame : {std::int64_t{0}, info.frames / 2, info.frames - 1})
    for (const std::int64_t gap : {0, 3}) {
      reader.read(frame, 0, {pixels.data(), info.rows, info.columns, info.columns + gap});
      reader.read(frame, info.rows - 1, {pixels.data(), 1, info.columns, info.columns + gap});
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const spim::test::MemoryFile file(data, size);
  SilentHost host;
  SilentSink sink;
  for (const char* padding : {"end", "start"})
    for (const std::int64_t session : {0, 1}) {
      const spim::OptionValue values[] = {{"padding", spim::OptionType::text, false, 0, 0, padding},
                                          {"restore-pixels", spim::OptionType::boolean, true, 0, 0, "true"},
                                          {"session", spim::OptionType::integer, false, session, 0, ""}};
      try {
        spim::DcimgReader reader(host, spim::Options{values, 3}, file.path());
        read_all(reader, static_cast<std::int64_t>(size));
        reader.describe(sink);
      } catch (const spim::Error&) {
      }
    }
  return 0;
}
