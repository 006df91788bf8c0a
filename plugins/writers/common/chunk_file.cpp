#include "common/chunk_file.hpp"

#include <fmt/format.h>

#include "spim/error.hpp"

namespace spim::chunked {

std::span<const std::byte> read_chunk_file(const File& file, std::uint64_t most, Scratch& scratch) {
  const std::uint64_t size = file.size();
  if (size == 0 || size > most)
    throw Error(
        fmt::format("chunk {} has {} bytes; it should have 1 to {}", file.path().string(), size, most));
  const std::span bytes(scratch.bytes(size), size);
  file.read(0, bytes);
  return bytes;
}

}  // namespace spim::chunked
