// link: spim_zarr
// The metadata of a Zarr volume, .zarray (the first byte is 0 modulo 3) or .zattrs (1), or a small chunk (2)
// whose second byte chooses the compressor.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "array_metadata.hpp"
#include "chunk_codec.hpp"
#include "ome_metadata.hpp"
#include "spim/error.hpp"

namespace {

void parse_array(std::string_view text) {
  const auto array = spim::zarr::parse_array_v2(text, ".zarray");
  const auto bytes = array.chunk_bytes();
  if (bytes <= 0 || bytes > spim::chunked::kLargestChunkBytes || spim::count(array.grid.shape) <= 0)
    std::abort();
}

void parse_group(std::string_view text) {
  for (const auto& level : spim::zarr::parse_ome(text, ".zattrs").levels)
    if (level.path.empty() || level.path[0] == '/') std::abort();
}

void decode_chunk(std::string_view bytes) {
  constexpr std::size_t kDecoded = 512;
  static spim::chunked::Scratch scratch;
  if (bytes.empty()) return;
  const auto compressor = static_cast<spim::zarr::Compressor>(static_cast<unsigned char>(bytes[0]) % 5);
  spim::zarr::decode_chunk({0, compressor, 0}, std::as_bytes(std::span(bytes.substr(1))), kDecoded, scratch);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 3) {
      case 0:
        parse_array(rest);
        break;
      case 1:
        parse_group(rest);
        break;
      default:
        decode_chunk(rest);
    }
  } catch (const spim::Error&) {  // the one way out for bytes that are not right
  }
  return 0;
}
