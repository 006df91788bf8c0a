// `zarr.json` of an array. What the specification allows and we do not read is refused with a sentence: an
// array is never shown with other voxels than it has.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "array_fields.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

namespace {

using nlohmann::json;

/// A shard's index is read as a whole; one with more chunks than this would be damage.
constexpr std::int64_t kMostChunksOfShard = std::int64_t{1} << 24;

constexpr const char* kShuffleWords[] = {"noshuffle", "shuffle", "bitshuffle"};

/// A codec or another extension: {"name": …, "configuration": {…}}, or its name alone.
struct Extension {
  std::string name;
  json configuration = json::object();

  Extension(const json& value, const std::string& subject) {
    if (value.is_string()) {
      name = value.get<std::string>();
      return;
    }
    const chunked::JsonFields fields(value, subject);
    name = fields.text("name");
    if (fields.has("configuration")) configuration = fields.member("configuration");
    if (!configuration.is_object()) fields.fail("configuration", "an object");
  }
};

std::vector<Extension> read_codecs(const chunked::JsonFields& fields, const char* key,
                                   const std::string& subject) {
  std::vector<Extension> codecs;
  for (const json& value : fields.array(key)) codecs.emplace_back(value, subject);
  if (codecs.empty()) fields.fail(key, "at least one codec");
  return codecs;
}

/// A name out of a file, cut where it is longer than any real one.
std::string shown(const std::string& name) {
  return name.substr(0, 60);
}

[[noreturn]] void refuse_codec(const Extension& codec, const std::string& subject, std::string_view place) {
  throw Error(
      fmt::format("{} has the codec \"{}\" {}, which is not supported", subject, shown(codec.name), place));
}

chunked::ByteOrder read_order(const Extension& bytes, const std::string& subject) {
  const chunked::JsonFields fields(bytes.configuration, subject);
  if (!fields.has("endian")) return chunked::ByteOrder::little;  // left out for single bytes
  const std::string& endian = fields.text("endian");
  if (endian != "little" && endian != "big") fields.fail("endian", "\"little\" or \"big\"");
  return endian == "little" ? chunked::ByteOrder::little : chunked::ByteOrder::big;
}

/// Adds a codec that works on bytes; false when it is none that we know.
bool add_byte_codec(const Extension& codec, const std::string& subject, ArrayMetadata& array) {
  ChunkCodecs& chain = array.codecs;
  if (codec.name == "crc32c") {
    (chain.compressor == Compressor::none ? chain.inner_checksums : chain.outer_checksums) += 1;
    return true;
  }
  if (chain.compressor != Compressor::none) return false;  // what two make of each other has no known size
  const chunked::JsonFields fields(codec.configuration, subject);
  array.codec = codec.name;
  if (codec.name == "blosc") {
    chain.compressor = Compressor::blosc;
    if (fields.has("cname")) array.codec += fmt::format(" {}", fields.text("cname"));
    if (fields.has("clevel")) array.codec += fmt::format(" {}", fields.integer("clevel", 0, 9));
  } else if (codec.name == "gzip") {
    chain.compressor = Compressor::gzip;
  } else if (codec.name == "zstd") {
    chain.compressor = Compressor::zstd;
  }
  return chain.compressor != Compressor::none;
}

/// The chain of codecs of one chunk, from samples on. Its first one must be "bytes".
void read_chain(const std::vector<Extension>& codecs, const std::string& subject, ArrayMetadata& array) {
  array.codec = "none";
  if (codecs.front().name != "bytes") refuse_codec(codecs.front(), subject, "in front of the samples' bytes");
  if (read_order(codecs.front(), subject) == chunked::ByteOrder::big &&
      array.format == chunked::SampleFormat::u16_little)
    array.format = chunked::SampleFormat::u16_big;
  for (std::size_t i = 1; i < codecs.size(); ++i)
    if (!add_byte_codec(codecs[i], subject, array))
      refuse_codec(codecs[i], subject, "behind the samples' bytes");
}

IndexLayout read_index_layout(const chunked::JsonFields& sharding, const std::string& subject) {
  IndexLayout layout;
  const auto codecs = read_codecs(sharding, "index_codecs", subject);
  if (codecs.front().name != "bytes") refuse_codec(codecs.front(), subject, "for the index of its shards");
  layout.order = read_order(codecs.front(), subject);
  layout.checksums = 0;
  for (std::size_t i = 1; i < codecs.size(); ++i) {
    if (codecs[i].name != "crc32c") refuse_codec(codecs[i], subject, "for the index of its shards");
    ++layout.checksums;
  }
  if (sharding.has("index_location")) {
    const std::string& location = sharding.text("index_location");
    if (location != "start" && location != "end") sharding.fail("index_location", "\"start\" or \"end\"");
    layout.location = location == "start" ? IndexLocation::start : IndexLocation::end;
  }
  return layout;
}

/// Chunks of a shard along each axis; throws Error unless whole chunks make up a shard.
std::vector<std::int64_t> chunks_of_shard(const std::vector<std::int64_t>& shard,
                                          const std::vector<std::int64_t>& chunk,
                                          const std::string& subject) {
  if (shard.size() != chunk.size())
    throw Error(fmt::format("{} has shards of {} axes and chunks of {}; they must agree", subject,
                            shard.size(), chunk.size()));
  std::vector<std::int64_t> chunks;
  std::int64_t total = 1;
  for (std::size_t i = 0; i < shard.size(); ++i) {
    if (shard[i] % chunk[i] != 0)
      throw Error(fmt::format("{} has shards of {} voxels along axis {}, which are not whole chunks of {}",
                              subject, shard[i], i, chunk[i]));
    chunks.push_back(shard[i] / chunk[i]);
    if (__builtin_mul_overflow(total, chunks.back(), &total) || total > kMostChunksOfShard)
      throw Error(fmt::format("{} has shards of more than {} chunks", subject, kMostChunksOfShard));
  }
  return chunks;
}

/// Reads "sharding_indexed"; returns the extents of the chunks inside.
std::vector<std::int64_t> read_sharding(const Extension& codec, const std::vector<std::int64_t>& shard,
                                        const std::string& subject, ArrayMetadata& array) {
  const chunked::JsonFields fields(codec.configuration, subject);
  const auto chunk = read_extents(fields, "chunk_shape");
  const auto chunks = chunks_of_shard(shard, chunk, subject);
  Sharding sharding;
  sharding.chunks = space_of(chunks);
  sharding.leading_chunks.assign(chunks.begin(), chunks.end() - kSpaceAxes);
  sharding.index = read_index_layout(fields, subject);
  sharding.index.slots = 1;
  for (const std::int64_t n : chunks) sharding.index.slots *= static_cast<std::size_t>(n);
  array.sharding = std::move(sharding);
  read_chain(read_codecs(fields, "codecs", subject), subject, array);
  return chunk;
}

void read_keys(const chunked::JsonFields& fields, const std::string& subject, ArrayMetadata& array) {
  const Extension encoding(fields.member("chunk_key_encoding"), subject);
  if (encoding.name != "default" && encoding.name != "v2")
    fields.fail("chunk_key_encoding", "\"default\" or \"v2\"");
  const bool v2 = encoding.name == "v2";
  const chunked::JsonFields configuration(encoding.configuration, subject);
  // A string built at once: g++ 12 warns of the assignment of a literal.
  array.separator = std::string(1, v2 ? '.' : '/');
  if (configuration.has("separator")) array.separator = configuration.text("separator");
  if (array.separator != "." && array.separator != "/") configuration.fail("separator", "\".\" or \"/\"");
  array.key_prefix = v2 ? std::string() : fmt::format("c{}", array.separator);
}

/// Throws Error for members that change what an array means and that we do not know.
void check_members(const json& document, const std::string& subject) {
  static constexpr std::array<std::string_view, 11> kKnown = {
      "zarr_format",         "node_type", "shape",      "data_type",  "chunk_grid",
      "chunk_key_encoding",  "codecs",    "fill_value", "attributes", "dimension_names",
      "storage_transformers"};
  for (const auto& [key, value] : document.items()) {
    if (std::find(kKnown.begin(), kKnown.end(), key) != kKnown.end()) continue;
    if (value.is_object() && value.value("must_understand", json(true)) == json(false)) continue;
    throw Error(fmt::format("{} has the member \"{}\", which is not supported", subject, shown(key)));
  }
}

void check_readable(const chunked::JsonFields& fields) {
  fields.integer("zarr_format", 3, 3);
  if (fields.text("node_type") != "array") fields.fail("node_type", "\"array\"");
  if (fields.has("storage_transformers") && !fields.array("storage_transformers").empty())
    fields.fail("storage_transformers", "none (they are not supported)");
}

chunked::SampleFormat read_format(const chunked::JsonFields& fields) {
  const json& value = fields.member("data_type");
  if (value == "uint8") return chunked::SampleFormat::u8;
  if (value == "uint16") return chunked::SampleFormat::u16_little;
  fields.fail("data_type", "\"uint8\" or \"uint16\"");
}

json named(const char* name, json configuration) {
  return {{"name", name}, {"configuration", std::move(configuration)}};
}

json codecs_of(const ArrayToWrite& array) {
  // Single bytes need no order, but old readers ask for one.
  json codecs = json::array({named("bytes", {{"endian", "little"}})});
  const chunked::BloscSettings& settings = array.codec.settings;
  if (array.codec.compressor == Compressor::blosc)
    codecs.push_back(named("blosc", {{"cname", settings.codec},
                                     {"clevel", settings.level},
                                     {"shuffle", kShuffleWords[settings.shuffle]},
                                     {"typesize", bytes_of(array.type)},
                                     {"blocksize", 0}}));
  if (array.codec.compressor == Compressor::gzip)
    codecs.push_back(named("gzip", {{"level", settings.level}}));
  if (array.codec.compressor == Compressor::zstd)
    codecs.push_back(named("zstd", {{"level", settings.level}, {"checksum", false}}));
  if (array.checksum) codecs.push_back({{"name", "crc32c"}});
  return codecs;
}

json extents_of(Index3 v) {
  return {1, 1, v.z, v.y, v.x};
}

}  // namespace

std::string encode_array_v3(const ArrayToWrite& array) {
  const bool sharded = array.shard != Index3{};
  const Index3 shape = array.grid.shape;
  json codecs = codecs_of(array);
  if (sharded)
    codecs = json::array({named(
        "sharding_indexed", {{"chunk_shape", extents_of(array.grid.chunk)},
                             {"codecs", codecs},
                             {"index_codecs", {named("bytes", {{"endian", "little"}}), {{"name", "crc32c"}}}},
                             {"index_location", array.index == IndexLocation::start ? "start" : "end"}})});
  const json document{
      {"zarr_format", 3},
      {"node_type", "array"},
      {"shape", {1, array.channels, shape.z, shape.y, shape.x}},
      {"data_type", array.type == PixelType::u8 ? "uint8" : "uint16"},
      {"chunk_grid",
       named("regular", {{"chunk_shape", extents_of(sharded ? array.shard : array.grid.chunk)}})},
      {"chunk_key_encoding", named("default", {{"separator", "/"}})},
      {"fill_value", 0},
      {"codecs", codecs},
      {"attributes", json::object()},
      {"dimension_names", {"t", "c", "z", "y", "x"}}};
  return document.dump(2) + "\n";
}

bool is_array_v3(std::string_view text, const std::string& subject) {
  const json document = chunked::parse_json_object(text, subject);
  const chunked::JsonFields fields(document, subject);
  fields.integer("zarr_format", 3, 3);
  const std::string& type = fields.text("node_type");
  if (type != "array" && type != "group") fields.fail("node_type", "\"array\" or \"group\"");
  return type == "array";
}

ArrayMetadata parse_array_v3(std::string_view text, const std::string& subject) {
  const json document = chunked::parse_json_object(text, subject);
  const chunked::JsonFields fields(document, subject);
  check_readable(fields);
  check_members(document, subject);
  ArrayMetadata array;
  array.format = read_format(fields);
  const auto shape = read_extents(fields, "shape");
  const Extension grid(fields.member("chunk_grid"), subject);
  if (grid.name != "regular") fields.fail("chunk_grid", "\"regular\"");
  const auto outer = read_extents(chunked::JsonFields(grid.configuration, subject), "chunk_shape");
  const auto codecs = read_codecs(fields, "codecs", subject);
  auto chunk = outer;
  if (codecs.front().name == "sharding_indexed") {
    if (codecs.size() > 1) refuse_codec(codecs[1], subject, "around whole shards");
    chunk = read_sharding(codecs.front(), outer, subject, array);
  } else {
    read_chain(codecs, subject, array);
  }
  set_extents(array, shape, chunk, subject);
  array.fill = read_fill(fields, array.format);
  read_keys(fields, subject, array);
  return array;
}

}  // namespace spim::zarr
