// Pins everything of spim/*.hpp that a compiled plugin relies on, so that the binary interface cannot change
// by accident. When a check here fails the change needs a new kAbi: see kAdvice.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <type_traits>
#include <utility>

#include "spim/plugin.hpp"

namespace spim {
namespace {

constexpr const char* kAdvice =
    "the binary interface of plugins has changed: undo that, or raise kAbi in spim/plugin.hpp, add a row "
    "with "
    "the fix to sdk/ABI.md and the version to sdk/cmake/SpimstitchAbi.cmake, and then correct this test";

/// Converts to anything, in unevaluated operands only.
struct Any {
  template <class T>
  operator T() const;
};

template <class T, class... Given>
constexpr std::size_t field_count() {
  if constexpr (requires { T{Given{}..., Any{}}; })
    return field_count<T, Given..., Any>();
  else
    return sizeof...(Given);
}

/// Position of a virtual method in the table of its class: in the Itanium C++ ABI a pointer to a virtual
/// member function starts with 1 + 8·slot.
template <class Method>
std::ptrdiff_t slot(Method method) {
  static_assert(sizeof method == 2 * sizeof(std::ptrdiff_t));
  std::ptrdiff_t words[2];
  std::memcpy(words, &method, sizeof words);
  return words[0] % 2 == 1 ? words[0] / 8 : -1;
}

/// Adds one virtual method: its slot is the number of slots of Base.
template <class Base>
struct Extended : Base {
  virtual void one_more() {}
};

template <class Base>
std::ptrdiff_t slot_count() {
  return slot(&Extended<Base>::one_more);
}

template <class T>
void expect_plain(std::size_t size, std::size_t fields, std::size_t alignment = 8) {
  static_assert(std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>);
  EXPECT_EQ(sizeof(T), size) << kAdvice;
  EXPECT_EQ(alignof(T), alignment) << kAdvice;
  EXPECT_EQ(field_count<T>(), fields) << kAdvice;
}

#define EXPECT_FIELD(type, field, offset, ...)                                   \
  EXPECT_EQ(offsetof(type, field), static_cast<std::size_t>(offset)) << kAdvice; \
  EXPECT_TRUE((std::is_same_v<decltype(type::field), __VA_ARGS__>)) << kAdvice

#define EXPECT_METHOD(method, position, ...)                               \
  EXPECT_EQ(slot(static_cast<__VA_ARGS__>(&method)), position) << kAdvice; \
  EXPECT_TRUE((std::is_same_v<decltype(&method), __VA_ARGS__>)) << kAdvice

TEST(AbiLayout, NumberIsTheOneThatThisTestPins) {
  EXPECT_EQ(kAbi, 1U) << "bring every check of this file up to date with the new interface, then this number";
}

TEST(AbiLayout, ManifestIsFoundAndReadInTheSamePlace) {
  EXPECT_EQ(std::memcmp(kManifestMagic, "spimstitch/plug", 16), 0) << kAdvice;
  EXPECT_STREQ(kManifestSymbol, "spim_plugin_manifest") << kAdvice;
  EXPECT_STREQ(kManifestSection, "spim_manifest") << kAdvice;
#if !defined(_GLIBCXX_DEBUG) && _GLIBCXX_USE_CXX11_ABI
  EXPECT_STREQ(SPIM_TOOLCHAIN, "x86_64-linux libstdc++ cxx11=1") << kAdvice;
#endif
  EXPECT_EQ(sizeof(ManifestHeader), 224U) << kAdvice;
  EXPECT_EQ(alignof(ManifestHeader), 4U) << kAdvice;
  EXPECT_FIELD(ManifestHeader, magic, 0, char[16]);
  EXPECT_FIELD(ManifestHeader, abi, 16, std::uint32_t);
  EXPECT_FIELD(ManifestHeader, size, 20, std::uint32_t);
  EXPECT_FIELD(ManifestHeader, toolchain, 24, char[64]);
  EXPECT_FIELD(ManifestHeader, name, 88, char[48]);
  EXPECT_FIELD(ManifestHeader, version, 136, char[24]);
  EXPECT_FIELD(ManifestHeader, vendor, 160, char[64]);
  expect_plain<PluginManifest>(240, 3);
  EXPECT_FIELD(PluginManifest, header, 0, ManifestHeader);
  EXPECT_FIELD(PluginManifest, items, 224, const ItemSpec*);
  EXPECT_FIELD(PluginManifest, item_count, 232, std::uint64_t);
}

TEST(AbiLayout, TablesOfItemsAndOptionsKeepTheirLayout) {
  expect_plain<ItemSpec>(56, 8);
  EXPECT_FIELD(ItemSpec, kind, 0, Kind);
  EXPECT_FIELD(ItemSpec, concurrency, 4, Concurrency);
  EXPECT_FIELD(ItemSpec, id, 8, const char*);
  EXPECT_FIELD(ItemSpec, summary, 16, const char*);
  EXPECT_FIELD(ItemSpec, options, 24, const OptionSpec*);
  EXPECT_FIELD(ItemSpec, option_count, 32, std::uint32_t);
  EXPECT_FIELD(ItemSpec, create, 40, void* (*)(Host&, const Options&, const char*));
  EXPECT_FIELD(ItemSpec, probe, 48, int (*)(const char*, const unsigned char*, std::uint64_t) noexcept);

  expect_plain<OptionSpec>(56, 7);
  EXPECT_FIELD(OptionSpec, name, 0, const char*);
  EXPECT_FIELD(OptionSpec, type, 8, OptionType);
  EXPECT_FIELD(OptionSpec, default_value, 16, const char*);
  EXPECT_FIELD(OptionSpec, help, 24, const char*);
  EXPECT_FIELD(OptionSpec, choices, 32, const char*);
  EXPECT_FIELD(OptionSpec, minimum, 40, double);
  EXPECT_FIELD(OptionSpec, maximum, 48, double);

  expect_plain<OptionValue>(40, 6);
  EXPECT_FIELD(OptionValue, name, 0, const char*);
  EXPECT_FIELD(OptionValue, type, 8, OptionType);
  EXPECT_FIELD(OptionValue, boolean, 12, bool);
  EXPECT_FIELD(OptionValue, integer, 16, std::int64_t);
  EXPECT_FIELD(OptionValue, number, 24, double);
  EXPECT_FIELD(OptionValue, text, 32, const char*);

  EXPECT_EQ(sizeof(Options), 16U) << kAdvice;
  EXPECT_FIELD(Options, values, 0, const OptionValue*);
  EXPECT_FIELD(Options, count, 8, std::uint32_t);
}

TEST(AbiLayout, GeometryKeepsItsLayout) {
  expect_plain<Index3>(24, 3);
  EXPECT_FIELD(Index3, x, 0, std::int64_t);
  EXPECT_FIELD(Index3, y, 8, std::int64_t);
  EXPECT_FIELD(Index3, z, 16, std::int64_t);
  expect_plain<Vec3>(24, 3);
  EXPECT_FIELD(Vec3, x, 0, double);
  EXPECT_FIELD(Vec3, y, 8, double);
  EXPECT_FIELD(Vec3, z, 16, double);
  expect_plain<Box>(48, 2);
  EXPECT_FIELD(Box, begin, 0, Index3);
  EXPECT_FIELD(Box, end, 24, Index3);

  expect_plain<IndexRange>(16, 2);
  EXPECT_FIELD(IndexRange, begin, 0, std::int64_t);
  EXPECT_FIELD(IndexRange, end, 8, std::int64_t);
}

TEST(AbiLayout, ViewsOfPixelsKeepTheirLayout) {
  expect_plain<ImageView<std::uint16_t>>(32, 4);
  EXPECT_FIELD(ImageView<std::uint16_t>, data, 0, std::uint16_t*);
  EXPECT_FIELD(ImageView<std::uint16_t>, rows, 8, std::int64_t);
  EXPECT_FIELD(ImageView<std::uint16_t>, columns, 16, std::int64_t);
  EXPECT_FIELD(ImageView<std::uint16_t>, row_stride, 24, std::int64_t);
  expect_plain<VolumeView<const std::uint16_t>>(48, 4);
  EXPECT_FIELD(VolumeView<const std::uint16_t>, data, 0, const std::uint16_t*);
  EXPECT_FIELD(VolumeView<const std::uint16_t>, size, 8, Index3);
  EXPECT_FIELD(VolumeView<const std::uint16_t>, stride_y, 32, std::int64_t);
  EXPECT_FIELD(VolumeView<const std::uint16_t>, stride_z, 40, std::int64_t);
}

TEST(AbiLayout, DescriptionsOfDataKeepTheirLayout) {
  expect_plain<StackInfo>(40, 5);
  EXPECT_FIELD(StackInfo, frames, 0, std::int64_t);
  EXPECT_FIELD(StackInfo, declared, 8, std::int64_t);
  EXPECT_FIELD(StackInfo, rows, 16, std::int64_t);
  EXPECT_FIELD(StackInfo, columns, 24, std::int64_t);
  EXPECT_FIELD(StackInfo, type, 32, PixelType);

  expect_plain<FrameStamp>(16, 4);
  EXPECT_FIELD(FrameStamp, has_counter, 0, bool);
  EXPECT_FIELD(FrameStamp, has_time, 1, bool);
  EXPECT_FIELD(FrameStamp, counter, 4, std::uint32_t);
  EXPECT_FIELD(FrameStamp, microseconds, 8, std::int64_t);

  expect_plain<VolumeInfo>(12, 3, 4);
  EXPECT_FIELD(VolumeInfo, type, 0, PixelType);
  EXPECT_FIELD(VolumeInfo, levels, 4, std::int32_t);
  EXPECT_FIELD(VolumeInfo, channels, 8, std::int32_t);

  expect_plain<LevelInfo>(96, 4);
  EXPECT_FIELD(LevelInfo, shape, 0, Index3);
  EXPECT_FIELD(LevelInfo, chunk, 24, Index3);
  EXPECT_FIELD(LevelInfo, voxel_um, 48, Vec3);
  EXPECT_FIELD(LevelInfo, origin_um, 72, Vec3);

  expect_plain<ChannelSpec>(32, 4);
  EXPECT_FIELD(ChannelSpec, label, 0, const char*);
  EXPECT_FIELD(ChannelSpec, color, 8, const char*);
  EXPECT_FIELD(ChannelSpec, window_start, 16, double);
  EXPECT_FIELD(ChannelSpec, window_end, 24, double);

  expect_plain<VolumeSpec>(160, 12);
  EXPECT_FIELD(VolumeSpec, shape, 0, Index3);
  EXPECT_FIELD(VolumeSpec, chunk, 24, Index3);
  EXPECT_FIELD(VolumeSpec, levels, 48, std::int32_t);
  EXPECT_FIELD(VolumeSpec, type, 52, PixelType);
  EXPECT_FIELD(VolumeSpec, voxel_um, 56, Vec3);
  EXPECT_FIELD(VolumeSpec, origin_um, 80, Vec3);
  EXPECT_FIELD(VolumeSpec, name, 104, const char*);
  EXPECT_FIELD(VolumeSpec, channel_count, 112, std::int32_t);
  EXPECT_FIELD(VolumeSpec, channels, 120, const ChannelSpec*);
  EXPECT_FIELD(VolumeSpec, source, 128, const char*);
  EXPECT_FIELD(VolumeSpec, first_frame, 136, std::int64_t);
  EXPECT_FIELD(VolumeSpec, stamp, 144, FrameStamp);

  expect_plain<ChunkAddress>(40, 3);
  EXPECT_FIELD(ChunkAddress, level, 0, std::int32_t);
  EXPECT_FIELD(ChunkAddress, index, 8, Index3);
  EXPECT_FIELD(ChunkAddress, channel, 32, std::int32_t);
}

TEST(AbiLayout, AlignmentTasksKeepTheirLayout) {
  expect_plain<AlignTask>(72, 5);
  EXPECT_FIELD(AlignTask, fixed, 0, TileView*);
  EXPECT_FIELD(AlignTask, moving, 8, TileView*);
  EXPECT_FIELD(AlignTask, guess_voxels, 16, Vec3);
  EXPECT_FIELD(AlignTask, voxel_um, 40, Vec3);
  EXPECT_FIELD(AlignTask, seed, 64, std::uint64_t);
  expect_plain<ShiftSample>(64, 4);
  EXPECT_FIELD(ShiftSample, at, 0, Vec3);
  EXPECT_FIELD(ShiftSample, shift, 24, Vec3);
  EXPECT_FIELD(ShiftSample, correlation, 48, double);
  EXPECT_FIELD(ShiftSample, confidence, 56, double);
}

template <class E>
void expect_number(E value, std::uint32_t number) {
  static_assert(std::is_same_v<std::underlying_type_t<E>, std::uint32_t>);
  EXPECT_EQ(static_cast<std::uint32_t>(value), number) << kAdvice;
}

TEST(AbiLayout, EnumeratorsKeepTheirNumbers) {
  expect_number(Kind::frame_reader, 1);
  expect_number(Kind::volume_reader, 2);
  expect_number(Kind::volume_writer, 3);
  expect_number(Kind::destriper, 4);
  expect_number(Kind::aligner, 5);
  expect_number(Concurrency::exclusive, 1);
  expect_number(Concurrency::reentrant, 2);
  expect_number(Concurrency::singleton, 3);
  expect_number(OptionType::boolean, 1);
  expect_number(OptionType::integer, 2);
  expect_number(OptionType::number, 3);
  expect_number(OptionType::text, 4);
  expect_number(PixelType::u8, 1);
  expect_number(PixelType::u16, 2);
  expect_number(LogLevel::debug, 0);
  expect_number(LogLevel::info, 1);
  expect_number(LogLevel::warning, 2);
  expect_number(LogLevel::error, 3);
}

TEST(AbiLayout, ServicesOfTheHostKeepTheirSlots) {
  EXPECT_METHOD(Host::log, 0, void(Host::*)(LogLevel, std::string_view) noexcept);
  EXPECT_METHOD(Host::cancelled, 1, bool(Host::*)() const noexcept);
  EXPECT_METHOD(Host::parallel_for, 2, void(Host::*)(std::int64_t, void (*)(void*, std::int64_t), void*));
  EXPECT_EQ(slot_count<Host>(), 3) << kAdvice;

  EXPECT_METHOD(MetadataSink::text, 0, void(MetadataSink::*)(std::string_view, std::string_view));
  EXPECT_METHOD(MetadataSink::integer, 1, void(MetadataSink::*)(std::string_view, std::int64_t));
  EXPECT_METHOD(MetadataSink::number, 2, void(MetadataSink::*)(std::string_view, double));
  EXPECT_EQ(slot_count<MetadataSink>(), 3) << kAdvice;
}

// Slots 0 and 1 of an interface that the host deletes are its destructors.
TEST(AbiLayout, ReadersKeepTheirSlots) {
  EXPECT_METHOD(FrameReader::info, 2, StackInfo(FrameReader::*)() const);
  EXPECT_METHOD(FrameReader::read, 3,
                void(FrameReader::*)(std::int64_t, std::int64_t, ImageView<std::uint16_t>));
  EXPECT_METHOD(FrameReader::stamp, 4, FrameStamp(FrameReader::*)(std::int64_t));
  EXPECT_METHOD(FrameReader::describe, 5, void(FrameReader::*)(MetadataSink&));
  EXPECT_EQ(slot_count<FrameReader>(), 6) << kAdvice;
  EXPECT_EQ(sizeof(FrameReader), sizeof(void*)) << kAdvice;

  EXPECT_METHOD(VolumeReader::info, 2, VolumeInfo(VolumeReader::*)() const);
  EXPECT_METHOD(VolumeReader::level, 3, LevelInfo(VolumeReader::*)(std::int32_t) const);
  EXPECT_METHOD(VolumeReader::read, 4,
                void(VolumeReader::*)(std::int32_t, const Box&, VolumeView<std::uint16_t>));
  EXPECT_METHOD(VolumeReader::describe, 5, void(VolumeReader::*)(MetadataSink&));
  EXPECT_EQ(slot_count<VolumeReader>(), 6) << kAdvice;
  EXPECT_EQ(sizeof(VolumeReader), sizeof(void*)) << kAdvice;
}

TEST(AbiLayout, WritersKeepTheirSlots) {
  EXPECT_METHOD(VolumeWriter::chunk_shape, 2, Index3(VolumeWriter::*)(const VolumeSpec&) const);
  EXPECT_METHOD(VolumeWriter::begin, 3, void(VolumeWriter::*)(const VolumeSpec&));
  EXPECT_METHOD(VolumeWriter::write, 4,
                void(VolumeWriter::*)(const ChunkAddress&, VolumeView<const std::uint16_t>));
  EXPECT_METHOD(VolumeWriter::write_zero, 5, void(VolumeWriter::*)(const ChunkAddress&));
  EXPECT_METHOD(VolumeWriter::finish, 6, void(VolumeWriter::*)());
  EXPECT_METHOD(VolumeWriter::describe, 7, void(VolumeWriter::*)(MetadataSink&));
  EXPECT_METHOD(VolumeWriter::most_channels, 8, std::int32_t(VolumeWriter::*)() const);
  EXPECT_METHOD(VolumeWriter::memory_bytes, 9, std::int64_t(VolumeWriter::*)(const VolumeSpec&) const);
  EXPECT_METHOD(VolumeWriter::unit_shape, 10, Index3(VolumeWriter::*)(const VolumeSpec&) const);
  EXPECT_METHOD(VolumeWriter::join, 11, void(VolumeWriter::*)(const VolumeSpec&, const PartName&));
  EXPECT_METHOD(VolumeWriter::finish_part, 12, void(VolumeWriter::*)(FileSink&));
  EXPECT_METHOD(VolumeWriter::read_back, 13,
                void(VolumeWriter::*)(const ChunkAddress&, VolumeView<std::uint16_t>));
  EXPECT_EQ(slot_count<VolumeWriter>(), 14) << kAdvice;
  EXPECT_EQ(sizeof(VolumeWriter), sizeof(void*)) << kAdvice;
}

TEST(AbiLayout, MethodsOfProcessingKeepTheirSlots) {
  EXPECT_METHOD(Destriper::apply, 2, void(Destriper::*)(ImageView<float>));
  EXPECT_EQ(slot_count<Destriper>(), 3) << kAdvice;

  EXPECT_METHOD(TileView::shape, 0, Index3(TileView::*)() const);
  EXPECT_METHOD(TileView::valid_x, 1, IndexRange(TileView::*)(std::int64_t) const);
  EXPECT_METHOD(TileView::read, 2, void(TileView::*)(const Box&, VolumeView<float>));
  EXPECT_METHOD(TileView::expect, 3, void(TileView::*)(std::int64_t));
  EXPECT_EQ(slot_count<TileView>(), 4) << kAdvice;
  EXPECT_METHOD(ShiftSink::add, 0, void(ShiftSink::*)(const ShiftSample&));
  EXPECT_EQ(slot_count<ShiftSink>(), 1) << kAdvice;
  EXPECT_METHOD(Aligner::align, 2, void(Aligner::*)(const AlignTask&, ShiftSink&));
  EXPECT_EQ(slot_count<Aligner>(), 3) << kAdvice;
}

TEST(AbiLayout, HistoryHasARowForTheNumber) {
  std::ifstream file(std::string(std::getenv("SPIM_SOURCE_DIR")) + "/sdk/ABI.md");
  ASSERT_TRUE(file);
  const std::string row = "| " + std::to_string(kAbi) + " | ";
  bool found = false;
  for (std::string line; std::getline(file, line);) found = found || line.starts_with(row);
  EXPECT_TRUE(found) << "sdk/ABI.md has no row for kAbi " << kAbi << " in its history";
}

}  // namespace
}  // namespace spim
