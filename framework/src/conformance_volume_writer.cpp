// The suite of volume writers: volumes of all shapes are written and, if the plugin has a reader for them,
// compared voxel by voxel. A format of one plane or one level says so by what chunk_shape() refuses, and is
// tried with what it can hold.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "conformance_suite.hpp"
#include "conformance_volumes.hpp"

namespace spim {
namespace {

namespace fs = std::filesystem;

/// A volume that is written.
struct Case {
  VolumeSpec spec;
  const char* name;
};

std::vector<Case> cases() {
  std::vector<Case> result = {
      {spec_of({1, 1, 1}, {0, 0, 0}, 1), "one voxel"},
      {spec_of({7, 5, 3}, {0, 0, 0}, 1), "a volume smaller than a chunk"},
      {spec_of({130, 67, 33}, {0, 0, 0}, 3), "an odd shape in chunks of the default size"},
      {spec_of({65, 33, 17}, {16, 16, 16}, 4), "an odd shape in small chunks"},
      {spec_of({64, 32, 32}, {32, 32, 32}, 2), "a shape of whole chunks"},
      {spec_of({200, 1, 1}, {64, 64, 64}, 3), "a line of voxels"},
      {spec_of({40, 50, 30}, {20, 7, 9}, 2), "chunks of an odd shape"},
      {spec_of({48, 40, 24}, {16, 16, 16}, 2), "uint8 voxels"}};
  result.back().spec.type = PixelType::u8;
  return result;
}

/// False when the writer refuses, in words, to hold such a volume.
bool holds(ConformanceSuite& suite, const VolumeSpec& spec) {
  try {
    (void)create_writer(suite.registry(), suite.host(), suite.selection(), suite.fresh_path("asked"))
        ->chunk_shape(spec);
  } catch (const Cancelled&) {
    throw;
  } catch (const Error& e) {
    if (std::string_view(e.what()).find(kForeignException) != std::string_view::npos) throw;
    return false;
  }
  return true;
}

/// `spec` without the planes and levels that the format cannot hold.
VolumeSpec reduced(ConformanceSuite& suite, VolumeSpec spec) {
  if (!holds(suite, spec_of({1, 1, 2}, {0, 0, 0}, 1))) spec.shape.z = 1;
  if (!holds(suite, spec_of({2, 2, 1}, {0, 0, 0}, 2))) spec.levels = 1;
  return spec;
}

/// What is left out of a volume on purpose.
enum class Extent { everything, every_second_chunk };

/// Writes a case and reads it back.
class Trial {
 public:
  Trial(ConformanceSuite& suite, const VolumeSpec& spec, const std::string& name)
      : suite_(suite),
        spec_(reduced(suite, spec)),
        path_(suite.fresh_path(name)),
        writer_(create_writer(suite.registry(), suite.host(), suite.selection(), path_)) {
    spec_.chunk = writer_->chunk_shape(spec_);
    if (fs::exists(path_))
      throw Error("the output exists before begin(); chunk_shape() must not touch the disk");
    if (writer_->chunk_shape(spec_) != spec_.chunk)
      throw Error("chunk_shape() changes a chunk shape that it returned itself");
  }

  VolumeWriter& writer() { return *writer_; }
  const VolumeSpec& spec() const { return spec_; }
  const fs::path& path() const { return path_; }

  void write(Extent extent) {
    writer_->begin(spec_);
    const std::vector<ChunkAddress> chunks = chunks_of(spec_);
    suite_.settings().executor->parallel_for(
        static_cast<std::int64_t>(chunks.size()), [&](std::int64_t i, int) {
          if (extent == Extent::every_second_chunk && i % 2 == 1) return;
          const ChunkAddress& chunk = chunks[static_cast<std::size_t>(i)];
          if (is_zero(chunk)) return writer_->write_zero(chunk);
          const std::vector<std::uint16_t> voxels = voxels_of(spec_, chunk);
          writer_->write(chunk, dense_view(voxels.data(), box_of(spec_, chunk).size()));
        });
  }

  /// The plugin's reader that knows the output best; null when there is none.
  std::unique_ptr<VolumeReader> open() const {
    Selection best;
    int sure = 0;
    if (!fs::exists(path_)) return nullptr;
    for (const Item& item : suite_.registry().items(Kind::volume_reader)) {
      const int answer = item.plugin == suite_.item().plugin ? checked_probe(*item.spec, path_) : 0;
      if (answer <= sure) continue;
      sure = answer;
      best.id = item.spec->id;
    }
    if (sure == 0) return nullptr;
    return open_volume(suite_.registry(), suite_.host(), best, path_);
  }

  void expect_description(VolumeReader& reader) const {
    if (reader.info().levels != spec_.levels || reader.info().type != spec_.type)
      throw Error(fmt::format("{} levels of {} bytes a voxel were written, {} of {} are read", spec_.levels,
                              bytes_of(spec_.type), reader.info().levels, bytes_of(reader.info().type)));
    for (std::int32_t l = 0; l < spec_.levels; ++l) {
      const LevelInfo level = reader.level(l);
      if (level.shape != level_shape(spec_.shape, l) || level.chunk != spec_.chunk)
        throw Error(fmt::format("level {} is read with the shape {},{},{} in chunks of {},{},{}", l,
                                level.shape.x, level.shape.y, level.shape.z, level.chunk.x, level.chunk.y,
                                level.chunk.z));
      expect_place(level, l);
    }
  }

  void expect_voxels(VolumeReader& reader) const {
    for (std::int32_t l = 0; l < spec_.levels; ++l) {
      const Box whole{{}, level_shape(spec_.shape, l)};
      const std::vector<std::uint16_t> voxels = read_box(reader, l, whole);
      for (const ChunkAddress& chunk : chunks_of(spec_))
        if (chunk.level == l) expect_part(voxels_of(spec_, chunk), box_of(spec_, chunk), voxels, whole);
      const std::vector<Box> parts = some_boxes(whole);
      suite_.settings().executor->parallel_for(static_cast<std::int64_t>(parts.size()),
                                               [&](std::int64_t i, int) {
                                                 const Box& part = parts[static_cast<std::size_t>(i)];
                                                 expect_part(read_box(reader, l, part), part, voxels, whole);
                                               });
    }
  }

 private:
  /// Level l averages blocks of 2^l voxels, so the centre of its first voxel is (2^l - 1) / 2 voxels further.
  /// A format that does not record a position says 0.
  void expect_place(const LevelInfo& level, std::int32_t l) const {
    const double factor = std::ldexp(1.0, l);
    const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-6 * (1 + std::abs(b)); };
    const auto expect = [&](double pitch, double origin, double voxel_um, double origin_um, char axis) {
      if (pitch != 0 && !near(pitch, voxel_um * factor))
        throw Error(fmt::format("level {} is read with a pitch in {} of {} micrometres instead of {}", l,
                                axis, pitch, voxel_um * factor));
      const double expected = origin_um + voxel_um * (factor - 1) / 2;
      if (origin != 0 && !near(origin, expected))
        throw Error(fmt::format("level {} is read with an origin in {} of {} micrometres instead of {}", l,
                                axis, origin, expected));
    };
    expect(level.voxel_um.x, level.origin_um.x, spec_.voxel_um.x, spec_.origin_um.x, 'x');
    expect(level.voxel_um.y, level.origin_um.y, spec_.voxel_um.y, spec_.origin_um.y, 'y');
    expect(level.voxel_um.z, level.origin_um.z, spec_.voxel_um.z, spec_.origin_um.z, 'z');
  }

  ConformanceSuite& suite_;
  VolumeSpec spec_;
  fs::path path_;
  std::unique_ptr<VolumeWriter> writer_;
};

void check_written_volumes(ConformanceSuite& suite) {
  for (const Case& c : cases())
    suite.check(fmt::format("writes {}", c.name), [&] {
      Trial trial(suite, c.spec, "volume");
      trial.write(Extent::everything);
      trial.writer().finish();
      const auto reader = trial.open();
      if (!reader) throw SkippedCheck("it was written, but the plugin has no reader to compare it with");
      trial.expect_description(*reader);
      trial.expect_voxels(*reader);
    });
}

void check_order_of_calls(ConformanceSuite& suite) {
  const VolumeSpec small = spec_of({40, 20, 10}, {16, 16, 16}, 1);
  suite.check("refuses to be used before begin", [&] {
    Trial write(suite, small, "volume");
    const std::vector<std::uint16_t> voxels(4096, 7);
    ConformanceSuite::expect_refusal("write() before begin()", [&] {
      write.writer().write({}, dense_view(voxels.data(), min(write.spec().chunk, write.spec().shape)));
    });
    Trial finish(suite, small, "volume");
    ConformanceSuite::expect_refusal("finish() before begin()", [&] { finish.writer().finish(); });
  });
  suite.check("does not look complete before finish", [&] {
    Trial trial(suite, small, "volume");
    trial.write(Extent::everything);
    std::unique_ptr<VolumeReader> reader;
    try {
      reader = trial.open();
    } catch (const Cancelled&) {
      throw;
    } catch (const Error&) {
      return;
    }
    if (reader) throw Error("the volume can be opened before finish(); write what identifies it last");
  });
  suite.check("refuses or leaves zero what was not written", [&] {
    Trial trial(suite, small, "volume");
    trial.write(Extent::every_second_chunk);
    try {
      trial.writer().finish();
    } catch (const Cancelled&) {
      throw;
    } catch (const Error&) {
      return;
    }
    const auto reader = trial.open();
    if (!reader) throw SkippedCheck("finish() accepts it, but the plugin has no reader to compare it with");
    const std::vector<ChunkAddress> chunks = chunks_of(trial.spec());
    for (std::size_t i = 1; i < chunks.size(); i += 2) {
      const auto voxels = read_box(*reader, 0, box_of(trial.spec(), chunks[i]));
      if (std::any_of(voxels.begin(), voxels.end(), [](std::uint16_t v) { return v != 0; }))
        throw Error("a chunk that was never written is not zero");
    }
  });
}

}  // namespace

void check_volume_writer(ConformanceSuite& suite) {
  check_written_volumes(suite);
  check_order_of_calls(suite);
  check_volume_parts(suite);
  suite.check("stays inside its path", [&] {
    const fs::path folder = suite.fresh_path("inside");
    fs::create_directory(folder);
    const auto writer = create_writer(suite.registry(), suite.host(), suite.selection(), folder / "output");
    VolumeSpec spec = reduced(suite, spec_of({20, 20, 20}, {16, 16, 16}, 1));
    spec.chunk = writer->chunk_shape(spec);
    writer->begin(spec);
    for (const ChunkAddress& chunk : chunks_of(spec)) {
      const std::vector<std::uint16_t> voxels = voxels_of(spec, chunk);
      writer->write(chunk, dense_view(voxels.data(), box_of(spec, chunk).size()));
    }
    writer->finish();
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().filename() != "output")
        throw Error(fmt::format("it creates {} beside its output", entry.path().filename().string()));
  });
}

}  // namespace spim
