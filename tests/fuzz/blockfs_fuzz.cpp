// link: spim_blockfs
// The metadata of a blockfs volume: a directory file (the first byte is even) or an info file (odd).
#include <cstdint>
#include <cstdlib>
#include <string>

#include "block_directory.hpp"
#include "common/precomputed_info.hpp"
#include "spim/error.hpp"

using spim::Index3;

namespace {

void parse_directory(std::span<const std::byte> file) {
  using namespace spim::blockfs;
  if (file.size() < kFixedHeaderBytes) return;
  const auto size = header_size(file.first<kFixedHeaderBytes>(), file.size(), "directory");
  const BlockDirectory directory = parse_header(file.first(size), "directory");
  // What was promised: positions of all blocks are in order and do not overflow.
  const Index3 last = directory.grid.count() - Index3{1, 1, 1};
  if (directory.entry_at({0, 0, 0}) < size || directory.entry_at(last) < directory.entry_at({0, 0, 0}) ||
      directory.full_size() <= directory.entry_at(last) || directory.entry_bytes() > kWidestEntry)
    std::abort();
  if (directory.full_size() <= file.size()) {
    const BlockPlace place =
        decode_entry(directory, file.subspan(directory.entry_at(last), directory.entry_bytes()));
    std::byte entry[kWidestEntry];
    const std::span used(entry, directory.entry_bytes());
    encode_entry(directory, place, used);
    if (decode_entry(directory, used) != place) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] % 2 == 0)
      parse_directory(std::as_bytes(std::span(text)));
    else
      spim::chunked::parse_info(text, spim::chunked::InfoPart::places, "info");
  } catch (const spim::Error&) {  // the one way out for bytes that are not right
  }
  return 0;
}
