// Every plugin of the build passes the suites of its kinds, and the suites find the faults they are made for.
#include "spim/host/conformance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "loader/loader_support.hpp"
#include "spim/host/dcimg_writer.hpp"
#include "spim/host/instances.hpp"

using namespace spim;
using namespace loader;
using testing::IsEmpty;

namespace {

class Conformance : public testing::Test {
 protected:
  std::vector<ConformanceCheck> check(const fs::path& library, const fs::path& sample,
                                      const Selections& selections = {}) {
    SearchPath path;
    path.files = {library};
    const Registry registry(path);
    EXPECT_EQ(registry.plugins().front()->refusal, "");
    if (!registry.plugins().front()->manifest) return {};
    ConformanceSettings settings;
    settings.host = &host_.services;
    settings.executor = &host_.executor;
    settings.scratch = folder_.path();
    settings.sample = sample;
    settings.selections = selections;
    return check_plugin(registry, *registry.plugins().front(), settings);
  }

  static std::vector<std::string> failures(const std::vector<ConformanceCheck>& checks) {
    std::vector<std::string> result;
    for (const ConformanceCheck& check : checks)
      if (check.outcome == Outcome::failed)
        result.push_back(check.item + ": " + check.name + ": " + check.message);
    return result;
  }

  static long passes(const std::vector<ConformanceCheck>& checks) {
    return std::count_if(checks.begin(), checks.end(),
                         [](const auto& c) { return c.outcome == Outcome::passed; });
  }

  /// Checks that fail with `fault` of the item of `kind`; the same checks pass without it.
  std::vector<std::string> found(Kind kind, const std::string& fault) {
    write_file(folder_ / "faulty.raw", "FAULTY  " + std::string(3 * 6 * 7 * 2, '\x21'));
    std::string bytes = read_file(folder_ / "faulty.raw");
    for (std::size_t i = 8; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
    write_file(folder_ / "faulty.raw", bytes);
    Selections selections;
    selections.of(kind) = {"", {{"fault", fault}}};
    std::vector<std::string> names;
    for (const ConformanceCheck& c : check(plugin_file("faulty"), folder_ / "faulty.raw", selections))
      if (c.outcome == Outcome::failed) names.push_back(c.name);
    return names;
  }

  fs::path dcimg(const std::string& name, PixelType type) {
    DcimgSettings settings;
    settings.frames = 7;
    settings.rows = 50;
    settings.columns = 64;
    settings.type = type;
    settings.row_padding = 32;
    DcimgWriter writer(folder_ / name, settings);
    std::vector<std::uint16_t> pixels(50 * 64);
    for (int frame = 0; frame < 7; ++frame) {
      for (std::size_t i = 0; i < pixels.size(); ++i)
        pixels[i] = static_cast<std::uint16_t>((i * 31 + 7 * frame) % 251);
      writer.write({pixels.data(), 50, 64, 64});
    }
    writer.close();
    return folder_ / name;
  }

  /// A small volume written by the plugin's own writer, for its reader.
  fs::path volume(const fs::path& library, const Selection& writer_of, std::int64_t planes = 30) {
    SearchPath path;
    path.files = {library};
    const Registry registry(path);
    const fs::path output = folder_ / ("sample" + std::to_string(++samples_) + "." + writer_of.id);
    const auto writer = create_writer(registry, host_.services, writer_of, output);
    VolumeSpec spec;
    spec.shape = {50, 40, planes};
    spec.chunk = {32, 32, 32};
    spec.voxel_um = {1, 1, 1};
    spec.chunk = writer->chunk_shape(spec);
    writer->begin(spec);
    const Index3 grid = ceil_div(spec.shape, spec.chunk);
    for (std::int64_t i = 0; i < count(grid); ++i) {
      const Index3 index{i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y};
      const Index3 begin{index.x * spec.chunk.x, index.y * spec.chunk.y, index.z * spec.chunk.z};
      const Index3 size = min(spec.shape, begin + spec.chunk) - begin;
      std::vector<std::uint16_t> voxels(static_cast<std::size_t>(count(size)));
      for (std::size_t v = 0; v < voxels.size(); ++v)
        voxels[v] = static_cast<std::uint16_t>(v * 2654435761U >> 7);
      writer->write({0, index}, dense_view<const std::uint16_t>(voxels.data(), size));
    }
    writer->finish();
    return output;
  }

  TestHost host_;
  TemporaryFolder folder_;
  int samples_ = 0;
};

fs::path built(const std::string& name) {
  return fs::path(std::getenv("SPIM_PLUGIN_DIR")) / (name + ".so");
}

}  // namespace

TEST_F(Conformance, of_every_built_plugin) {
  int plugins = 0;
  for (const auto& entry : fs::directory_iterator(std::getenv("SPIM_PLUGIN_DIR"))) {
    if (entry.path().extension() != ".so") continue;
    SCOPED_TRACE(entry.path().filename().string());
    const auto checks = check(entry.path(), {});
    EXPECT_THAT(failures(checks), IsEmpty());
    EXPECT_GT(passes(checks), 0);
    ++plugins;
  }
  EXPECT_GE(plugins, 5);
}

TEST_F(Conformance, of_the_dcimg_reader_on_camera_files) {
  for (const PixelType type : {PixelType::u8, PixelType::u16}) {
    const auto checks = check(built("dcimg"), dcimg(type == PixelType::u8 ? "8.dcimg" : "16.dcimg", type));
    EXPECT_THAT(failures(checks), IsEmpty());
    EXPECT_GE(passes(checks), 12);
  }
}

TEST_F(Conformance, of_the_simulated_reader_on_a_description) {
  write_file(
      folder_ / "s.simulated.json",
      R"({"format": "simulated-stack", "frames": 5, "rows": 40, "columns": 48, "content": "nothing"})");
  const auto checks = check(built("simulated"), folder_ / "s.simulated.json");
  EXPECT_THAT(failures(checks), IsEmpty());
  EXPECT_GE(passes(checks), 12);
}

TEST_F(Conformance, of_the_volume_readers_on_volumes) {
  const Selection writers[] = {{"blockfs", {}},
                               {"tiff", {}},
                               {"zarr", {}},
                               {"zarr", {{"zarr-format", "3"}}},
                               {"zarr", {{"zarr-format", "3"}, {"shard", "64,32,32"}}},
                               {"precomputed", {}},
                               {"precomputed", {{"shard", "64,32,32"}}}};
  for (const Selection& writer : writers) {
    SCOPED_TRACE(writer.id + (writer.options.empty() ? "" : " with " + writer.options.begin()->first));
    const auto checks = check(built(writer.id), volume(built(writer.id), writer));
    EXPECT_THAT(failures(checks), IsEmpty());
    EXPECT_GE(passes(checks), 21);
  }
}

TEST_F(Conformance, of_the_jp2_readers_on_a_plane) {
  const auto checks = check(built("jp2"), volume(built("jp2"), {"jp2", {}}, 1));
  EXPECT_THAT(failures(checks), IsEmpty());
  EXPECT_GE(passes(checks), 30);
}

TEST_F(Conformance, of_the_writers_of_shards) {
  for (const char* memory : {"0", "256"}) {
    Selections zarr, precomputed;
    // Whole chunks of every shape that the suite writes.
    zarr.writer = {"zarr", {{"zarr-format", "3"}, {"shard", "640,896,1152"}, {"shard-memory", memory}}};
    precomputed.writer = {"precomputed", {{"shard", "64,64,64"}, {"shard-memory", memory}}};
    EXPECT_THAT(failures(check(built("zarr"), {}, zarr)), IsEmpty());
    EXPECT_THAT(failures(check(built("precomputed"), {}, precomputed)), IsEmpty());
  }
}

TEST_F(Conformance, passes_an_implementation_without_faults) {
  EXPECT_THAT(found(Kind::frame_reader, "none"), IsEmpty());
}

TEST_F(Conformance, finds_faults_of_frame_readers) {
  using testing::ElementsAre;
  using testing::IsSupersetOf;
  EXPECT_THAT(found(Kind::frame_reader, "missing"),
              IsSupersetOf({"refuses a path that does not exist", "refuses an empty file"}));
  EXPECT_THAT(found(Kind::frame_reader, "foreign"),
              IsSupersetOf({"refuses a path that does not exist", "survives damaged copies of the sample"}));
  EXPECT_THAT(found(Kind::frame_reader, "rows"),
              IsSupersetOf({"reads ranges of rows as parts of the frame"}));
  EXPECT_THAT(found(Kind::frame_reader, "stride"), ElementsAre("reads whole frames"));
}

TEST_F(Conformance, finds_faults_of_writers) {
  using testing::Contains;
  using testing::ElementsAre;
  EXPECT_THAT(found(Kind::volume_writer, "loses"), Contains("writes an odd shape in small chunks"));
  EXPECT_THAT(found(Kind::volume_writer, "early"), ElementsAre("does not look complete before finish"));
  EXPECT_THAT(found(Kind::volume_writer, "outside"), ElementsAre("stays inside its path"));
  EXPECT_THAT(found(Kind::volume_writer, "eager"), Contains("writes one voxel"));
  EXPECT_THAT(found(Kind::volume_writer, "unchecked"), ElementsAre("refuses to be used before begin"));
  EXPECT_THAT(found(Kind::volume_writer, "shifted"), Contains("writes one voxel"));
}

TEST_F(Conformance, finds_faults_of_destripers) {
  using testing::Contains;
  EXPECT_THAT(found(Kind::destriper, "nan"),
              Contains("gives finite pixels for frames of every shape and for zeros"));
  EXPECT_THAT(found(Kind::destriper, "stride"),
              Contains("respects the stride and gives the same result with it"));
  EXPECT_THAT(found(Kind::destriper, "darker"), Contains("leaves a constant frame constant"));
  EXPECT_THAT(found(Kind::destriper, "random"),
              Contains("gives the same frame again, from several threads too"));
}

TEST_F(Conformance, finds_faults_of_aligners) {
  using testing::Contains;
  EXPECT_THAT(found(Kind::aligner, "blind"), Contains("finds no shift between identical views"));
  EXPECT_THAT(found(Kind::aligner, "constant"),
              Contains("is not sure of anything where there is nothing to see"));
  EXPECT_THAT(found(Kind::aligner, "random"), Contains("finds the same again, from several threads too"));
}
