#include "block_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "common/json_fields.hpp"
#include "spim/error.hpp"

namespace spim::blockfs {

namespace {

__extension__ using Bits = unsigned __int128;

constexpr std::string_view kMagic("BlockFS\0", 8);
constexpr char kVersion[] = "1.0.0";
constexpr unsigned kMostBits = 63;
// Blosc stores what it cannot compress with a header in front.
constexpr std::int64_t kFrameHeader = 16;

std::uint32_t get_u32(const std::byte* from) {
  std::uint32_t v = 0;
  std::memcpy(&v, from, sizeof v);
  return v;
}

void put_u32(std::string& to, std::uint64_t value) {
  for (int i = 0; i < 4; ++i) to.push_back(static_cast<char>(value >> (8 * i)));
}

Index3 read_triple(const chunked::JsonFields& fields, const char* suffix) {
  const auto get = [&](char axis) {
    return fields.integer((std::string(1, axis) + suffix).c_str(), 1, chunked::kLargestExtent);
  };
  return {get('X'), get('Y'), get('Z')};
}

/// Throws Error when the last entry of the grid would lie beyond what a file can hold.
void check_entries(const BlockDirectory& directory, const std::string& subject) {
  const Index3 last = directory.grid.count() - Index3{1, 1, 1};
  std::int64_t entries = 1, part = 0, end = 0;
  bool fits = true;
  for (const auto& [n, stride] :
       {std::pair{last.x, directory.stride.x}, {last.y, directory.stride.y}, {last.z, directory.stride.z}})
    fits =
        fits && !__builtin_mul_overflow(n, stride, &part) && !__builtin_add_overflow(entries, part, &entries);
  fits = fits && !__builtin_mul_overflow(entries, static_cast<std::int64_t>(directory.entry_bytes()), &end) &&
         !__builtin_add_overflow(end, static_cast<std::int64_t>(directory.entries_at), &end);
  if (!fits)
    throw Error(fmt::format(
        "{} has strides ({}, {}, {}) for {} x {} x {} blocks, more entries than a file can hold", subject,
        directory.stride.x, directory.stride.y, directory.stride.z, last.x + 1, last.y + 1, last.z + 1));
}

PixelType read_type(const chunked::JsonFields& fields) {
  const std::string& name = fields.text("DType");
  if (name == "uint16") return PixelType::u16;
  if (name == "uint8") return PixelType::u8;
  fields.fail("DType", "\"uint16\" or \"uint8\"");
}

std::vector<std::string> read_files(const chunked::JsonFields& fields) {
  const auto& names = fields.array("BlockFilenames");
  if (names.empty() || names.size() > static_cast<std::size_t>(kMostBlockFiles))
    fields.fail("BlockFilenames", fmt::format("an array of 1 to {} names", kMostBlockFiles));
  std::vector<std::string> files;
  for (const auto& name : names) {
    // A zero byte would cut the name short for the system.
    if (!name.is_string() || name.get_ref<const std::string&>().empty() ||
        name.get_ref<const std::string&>().find('\0') != std::string::npos)
      fields.fail("BlockFilenames", "an array of file names");
    files.push_back(name.get<std::string>());
  }
  return files;
}

}  // namespace

std::uint64_t BlockDirectory::full_size() const noexcept {
  return entry_at(grid.count() - Index3{1, 1, 1}) + entry_bytes();
}

BlockDirectory plan_directory(const chunked::ChunkGrid& grid, PixelType type,
                              std::vector<std::string> files) {
  BlockDirectory directory;
  directory.grid = grid;
  directory.type = type;
  directory.files = std::move(files);
  const Index3 n = grid.count();
  directory.stride = {1, n.x, n.x * n.y};
  const std::int64_t largest = count(grid.chunk) * bytes_of(type) + kFrameHeader;
  const std::int64_t per_file = ceil_div(count(n), static_cast<std::int64_t>(directory.files.size()));
  std::int64_t end = 0;
  if (__builtin_mul_overflow(per_file, largest, &end))
    throw Error(
        fmt::format("a blockfs level of {} blocks of {} bytes in {} files is more than a file can hold; use "
                    "more files",
                    count(n), largest, directory.files.size()));
  directory.offset_bits = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(end)));
  directory.size_bits = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(largest)));
  return directory;
}

std::string encode_header(BlockDirectory& directory) {
  const auto& grid = directory.grid;
  // The order of the original; no program depends on it, people compare files.
  const nlohmann::ordered_json fields{{"XBlockSize", grid.chunk.x},
                                      {"YBlockSize", grid.chunk.y},
                                      {"ZBlockSize", grid.chunk.z},
                                      {"DType", directory.type == PixelType::u8 ? "uint8" : "uint16"},
                                      {"NOffsetBits", directory.offset_bits},
                                      {"NSizeBits", directory.size_bits},
                                      {"XExtent", grid.shape.x},
                                      {"YExtent", grid.shape.y},
                                      {"ZExtent", grid.shape.z},
                                      {"BlockFilenames", directory.files},
                                      {"XStride", directory.stride.x},
                                      {"YStride", directory.stride.y},
                                      {"ZStride", directory.stride.z},
                                      {"Compression", directory.codec},
                                      {"CompressionLvl", directory.level},
                                      {"Version", kVersion}};
  const std::string json = fields.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (json.size() > kLargestHeader)
    throw Error(
        fmt::format("the names of {} block files take {} bytes of a blockfs directory file, and at most {} "
                    "are read; leave "
                    "out absolute-names",
                    directory.files.size(), json.size(), kLargestHeader));
  directory.entries_at = kFixedHeaderBytes + json.size();
  std::string header(kMagic);
  put_u32(header, json.size());
  put_u32(header, directory.entries_at);
  return header + json;
}

std::uint64_t header_size(std::span<const std::byte, kFixedHeaderBytes> fixed, std::uint64_t file_size,
                          const std::string& subject) {
  if (std::memcmp(fixed.data(), kMagic.data(), kMagic.size()) != 0)
    throw Error(
        fmt::format("{} does not begin with \"BlockFS\"; it is not a blockfs directory file", subject));
  const std::uint64_t size = get_u32(fixed.data() + 8);
  if (size > kLargestHeader || kFixedHeaderBytes + size > file_size)
    throw Error(fmt::format("{} says that its metadata has {} bytes; the file has {} and at most {} are read",
                            subject, size, file_size, kLargestHeader));
  return kFixedHeaderBytes + size;
}

BlockDirectory parse_header(std::span<const std::byte> header, const std::string& subject) {
  if (header.size() < kFixedHeaderBytes)
    throw Error(fmt::format("{} has {} bytes; a blockfs directory file has more than {}", subject,
                            header.size(), kFixedHeaderBytes));
  BlockDirectory directory;
  directory.entries_at = get_u32(header.data() + 12);
  if (directory.entries_at < header.size())
    throw Error(fmt::format("{} says that its entries begin at byte {}, inside its metadata of {} bytes",
                            subject, directory.entries_at, header.size()));
  const auto* json = reinterpret_cast<const char*>(header.data()) + kFixedHeaderBytes;
  const auto document = chunked::parse_json_object({json, header.size() - kFixedHeaderBytes}, subject);
  const chunked::JsonFields fields(document, subject);
  directory.type = read_type(fields);
  directory.grid = {read_triple(fields, "Extent"), read_triple(fields, "BlockSize")};
  directory.stride = read_triple(fields, "Stride");
  directory.offset_bits = static_cast<unsigned>(fields.integer("NOffsetBits", 0, kMostBits));
  directory.size_bits = static_cast<unsigned>(fields.integer("NSizeBits", 1, kMostBits));
  directory.files = read_files(fields);
  // What the codec is called does not matter for reading: each frame says it itself.
  if (fields.has("Compression")) directory.codec = fields.text("Compression");
  chunked::check_grid(directory.grid, bytes_of(directory.type), subject);
  check_entries(directory, subject);
  return directory;
}

void encode_entry(const BlockDirectory& directory, BlockPlace place, std::span<std::byte> entry) {
  Bits v = static_cast<Bits>(place.offset) | static_cast<Bits>(place.size) << directory.offset_bits;
  for (auto& b : entry) {
    b = static_cast<std::byte>(static_cast<unsigned char>(v));
    v >>= 8;
  }
}

BlockPlace decode_entry(const BlockDirectory& directory, std::span<const std::byte> entry) {
  Bits v = 0;
  for (std::size_t i = entry.size(); i-- > 0;) v = v << 8 | std::to_integer<unsigned>(entry[i]);
  const Bits one = 1;
  return {static_cast<std::uint64_t>(v & ((one << directory.offset_bits) - 1)),
          static_cast<std::uint64_t>(v >> directory.offset_bits & ((one << directory.size_bits) - 1))};
}

}  // namespace spim::blockfs
