// Instances may be used from any thread whatever their plugin declares, and throw sentences of the host.
#include "spim/host/instances.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>

#include "loader/loader_support.hpp"

using namespace spim;
using namespace loader;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

class Instances : public testing::Test {
 protected:
  Instances() { write_file(folder_ / "tester.raw", "LOADER TEST1"); }

  fs::path file() const { return folder_ / "tester.raw"; }

  std::unique_ptr<FrameReader> frames(const std::string& id, const std::string& mode = "none") {
    return open_frames(registry_, host_.services, {id, {{"mode", mode}}}, file());
  }

  /// Reads all frames on four threads at once, each frame in two halves, and checks their values.
  void read_from_threads(FrameReader& reader) {
    std::atomic<int> wrong{0};
    host_.executor.parallel_for(200, [&](std::int64_t i, int) {
      std::uint16_t pixels[2 * 8];
      const std::int64_t frame = i % 10, row = (i / 10) % 3;
      reader.read(frame, row, {pixels, 2, 8, 8});
      for (int r = 0; r < 2; ++r)
        for (int c = 0; c < 8; ++c)
          if (pixels[r * 8 + c] != 100 * frame + row + r) ++wrong;
    });
    EXPECT_EQ(wrong, 0);
  }

  template <class F>
  static std::string message(F f) {
    try {
      f();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  std::string read_fault(const std::string& mode) {
    const auto reader = frames("exclusive", mode);
    std::uint16_t pixels[8];
    return message([&] { reader->read(3, 0, {pixels, 1, 8, 8}); });
  }

  static SearchPath search() {
    SearchPath path;
    path.files = {plugin_file("tester")};
    return path;
  }

  TemporaryFolder folder_;
  TestHost host_;
  Registry registry_{search()};
};

constexpr char kPlugin[] = "(reader exclusive of plugin tester 1.2.3)";

}  // namespace

TEST_F(Instances, of_an_exclusive_reader_are_pooled_one_per_thread_inside) {
  const auto reader = frames("exclusive");
  EXPECT_EQ(host_.lines.size(), 1U) << "one instance to begin with";
  read_from_threads(*reader);  // the plugin throws when two threads are in one instance
  EXPECT_GT(host_.lines.size(), 1U);
  EXPECT_LE(host_.lines.size(), 4U) << "no more instances than threads";
}

TEST_F(Instances, of_a_reentrant_reader_are_one_for_all_threads) {
  const auto reader = frames("reentrant");
  read_from_threads(*reader);
  EXPECT_EQ(host_.lines.size(), 1U);
}

TEST_F(Instances, of_a_singleton_let_one_thread_in_over_all_open_files) {
  const auto one = frames("singleton");
  const auto two = frames("singleton");
  std::uint16_t pixels[4][8];
  host_.executor.parallel_for(100, [&](std::int64_t i, int worker) {
    (i % 2 == 0 ? *one : *two).read(1, 0, {pixels[worker], 1, 8, 8});
  });
  EXPECT_EQ(host_.lines.size(), 2U);
}

TEST_F(Instances, of_an_exclusive_writer_are_one_and_its_calls_take_turns) {
  const auto writer = create_writer(registry_, host_.services, {"counter", {}}, folder_ / "out");
  VolumeSpec spec;
  spec.shape = {64, 64, 64};
  spec.chunk = writer->chunk_shape(spec);
  writer->begin(spec);
  std::vector<std::uint16_t> voxels(512);
  host_.executor.parallel_for(100, [&](std::int64_t, int) {
    writer->write({}, dense_view<const std::uint16_t>(voxels.data(), {8, 8, 8}));
  });
  writer->finish();
  struct Sink final : MetadataSink {
    std::int64_t chunks = 0;
    void text(std::string_view, std::string_view) override {}
    void integer(std::string_view, std::int64_t value) override { chunks = value; }
    void number(std::string_view, double) override {}
  } sink;
  writer->describe(sink);
  EXPECT_EQ(sink.chunks, 100);
  EXPECT_EQ(host_.lines.size(), 1U);
}

TEST_F(Instances, translate_every_exception_into_a_sentence_with_frame_file_and_plugin) {
  EXPECT_EQ(read_fault("error"), "frame 3 of " + file().string() + ": sector 7 cannot be read " + kPlugin);
  EXPECT_THAT(read_fault("int"),
              AllOf(StartsWith("frame 3 of "), HasSubstr("not a std::exception"), EndsWith(kPlugin)));
  EXPECT_THAT(read_fault("foreign"), HasSubstr("not a std::exception"));
  EXPECT_THAT(read_fault("local"), EndsWith(std::string("tester.raw: a type of the plugin ") + kPlugin));
  EXPECT_THAT(read_fault("memory"), HasSubstr("there is not enough memory"));
}

TEST_F(Instances, do_not_repeat_the_frame_and_the_file_that_the_plugin_names) {
  EXPECT_EQ(read_fault("named"), std::string("frame 3 of tester.raw is cut short ") + kPlugin);
}

TEST_F(Instances, keep_usage_errors_and_cancellation_as_they_are) {
  EXPECT_THROW((void)open_frames(registry_, host_.services,
                                 {"exclusive", {{"mode", "usage"}, {"at-once", "true"}}}, file()),
               UsageError);
  const auto reader = frames("exclusive", "error");
  host_.cancel.request();
  std::uint16_t pixels[8];
  EXPECT_THROW(reader->read(3, 0, {pixels, 1, 8, 8}), Cancelled);
}

TEST_F(Instances, translate_what_a_constructor_throws) {
  EXPECT_EQ(message([&] {
              (void)open_frames(registry_, host_.services,
                                {"exclusive", {{"mode", "error"}, {"at-once", "1"}}}, file());
            }),
            file().string() + ": sector 7 cannot be read " + kPlugin);
  EXPECT_THAT(message([&] {
                (void)create_destriper(registry_, host_.services, {"nothing", {}});
              }),
              HasSubstr("it created nothing (destripe nothing of plugin tester"));
}

TEST_F(Instances, blame_the_plugin_for_impossible_descriptions) {
  const auto fault = [&](const char* mode) { return message([&] { (void)frames("reentrant", mode); }); };
  EXPECT_THAT(fault("absurd"), AllOf(HasSubstr("0 rows and 8 columns"), EndsWith("plugin tester 1.2.3)")));
  EXPECT_THAT(fault("negative"), HasSubstr("-1 frames of 10"));
  EXPECT_THAT(fault("overflow"), HasSubstr("more bytes than 64 bits can count"));
  EXPECT_THAT(fault("type"), HasSubstr("unknown type 99"));
  const auto volume_fault = [&](const char* mode) {
    return message([&] {
      (void)open_volume(registry_, host_.services, {"volume", {{"mode", mode}}}, file());
    });
  };
  EXPECT_THAT(volume_fault("chunk"), AllOf(HasSubstr("level 0"), HasSubstr("2 x 0 x 2")));
  EXPECT_THAT(volume_fault("levels"), HasSubstr("-3 levels"));
  EXPECT_THAT(volume_fault("pitch"), HasSubstr("-1 micrometres"));
  const auto writer =
      create_writer(registry_, host_.services, {"counter", {{"mode", "chunk"}}}, folder_ / "out");
  VolumeSpec spec;
  spec.shape = {1, 1, 1};
  EXPECT_THAT(message([&] { (void)writer->chunk_shape(spec); }), HasSubstr("8 x 0 x 8"));
}

TEST_F(Instances, of_volume_readers_name_the_box_and_check_it) {
  const auto good = open_volume(registry_, host_.services, {"volume", {}}, file());
  std::uint16_t voxels[2 * 2 * 2];
  good->read(0, {{3, 2, 1}, {5, 4, 3}}, dense_view(voxels, {2, 2, 2}));
  EXPECT_EQ(voxels[0], 123);
  EXPECT_EQ(voxels[7], 234);
  EXPECT_THAT(message([&] {
                good->read(0, {{4, 2, 1}, {6, 4, 3}}, dense_view(voxels, {2, 2, 2}));
              }),
              HasSubstr("(4,2,1)-(6,4,3)"));
  EXPECT_THAT(message([&] {
                good->read(1, {{0, 0, 0}, {1, 1, 1}}, dense_view(voxels, {1, 1, 1}));
              }),
              HasSubstr("level 1"));
  const auto bad = open_volume(registry_, host_.services, {"volume", {{"mode", "error"}}}, file());
  EXPECT_THAT(message([&] {
                bad->read(0, {{0, 0, 0}, {1, 1, 1}}, dense_view(voxels, {1, 1, 1}));
              }),
              StartsWith("box (0,0,0)-(1,1,1) of level 0 of " + file().string() + ": sector 7"));
}

TEST_F(Instances, check_what_is_asked_of_a_frame_reader) {
  const auto reader = frames("exclusive");
  std::uint16_t pixels[5 * 8];
  EXPECT_THROW(reader->read(10, 0, {pixels, 1, 8, 8}), Error);
  EXPECT_THROW(reader->read(-1, 0, {pixels, 1, 8, 8}), Error);
  EXPECT_THROW(reader->read(0, 1, {pixels, 4, 8, 8}), Error);
  EXPECT_THROW(reader->read(0, std::numeric_limits<std::int64_t>::max(), {pixels, 1, 8, 8}), Error);
  EXPECT_THROW(reader->read(0, 0, {pixels, 1, 7, 8}), Error);
  EXPECT_THROW((void)reader->stamp(10), Error);
}

TEST_F(Instances, name_the_chunk_that_could_not_be_written) {
  const auto writer =
      create_writer(registry_, host_.services, {"counter", {{"mode", "int"}}}, folder_ / "out");
  VolumeSpec spec;
  spec.shape = spec.chunk = {8, 8, 8};
  writer->begin(spec);
  std::vector<std::uint16_t> voxels(512);
  EXPECT_THAT(
      message([&] {
        writer->write({1, {2, 3, 4}}, dense_view<const std::uint16_t>(voxels.data(), {8, 8, 8}));
      }),
      AllOf(StartsWith("chunk (2,3,4) of level 1: "), EndsWith("(writer counter of plugin tester 1.2.3)")));
}

TEST_F(Instances, are_found_by_probing_the_surest) {
  write_file(folder_ / "2.raw", "LOADER TEST2");
  EXPECT_STREQ(probe_reader(registry_, Kind::frame_reader, folder_ / "2.raw").spec->id, "reentrant");
  EXPECT_STREQ(probe_reader(registry_, Kind::frame_reader, file()).spec->id, "exclusive");
  EXPECT_EQ(open_frames(registry_, host_.services, {}, file())->info().frames, 10);
}

TEST_F(Instances, are_not_chosen_when_probing_is_undecided_or_fails) {
  write_file(folder_ / "any.raw", "LOADER TEST*");
  write_file(folder_ / "none.raw", "something else");
  const auto fault = [&](const fs::path& path) {
    return message([&] { (void)open_frames(registry_, host_.services, {}, path); });
  };
  EXPECT_THAT(fault(folder_ / "any.raw"), AllOf(HasSubstr("exclusive, reentrant, singleton"),
                                                HasSubstr("each 50 % sure"), HasSubstr("--reader")));
  EXPECT_THAT(fault(folder_ / "none.raw"), HasSubstr("no reader knows (exclusive, reentrant, singleton)"));
  EXPECT_THAT(fault(folder_ / "missing.raw"), HasSubstr("cannot be opened: No such file"));
  EXPECT_THAT(fault("/dev/null"), HasSubstr("neither a file nor a folder"));
  EXPECT_THAT(fault(folder_.path()), HasSubstr("no reader knows"));
}

TEST_F(Instances, run_loops_of_a_destriper_on_the_workers_of_the_host) {
  std::vector<float> pixels(std::size_t{64} * 16, 1.0F);
  for (const char* mode : {"host", "openmp"}) {
    const auto destriper = create_destriper(registry_, host_.services, {"add-one", {{"mode", mode}}});
    destriper->apply({pixels.data(), 64, 16, 16});
  }
  EXPECT_THAT(pixels, testing::Each(3.0F));
  // From inside a loop of the host the nested one runs on its worker alone.
  const auto destriper = create_destriper(registry_, host_.services, {"add-one", {}});
  host_.executor.parallel_for(4, [&](std::int64_t i, int) {
    destriper->apply({pixels.data() + i * 256, 16, 16, 16});
  });
  EXPECT_THAT(pixels, testing::Each(4.0F));
}

TEST_F(Instances, translate_an_exception_that_crossed_the_loop_of_the_host) {
  const auto destriper = create_destriper(registry_, host_.services, {"add-one", {{"mode", "throw"}}});
  std::vector<float> pixels(64, 0.0F);
  EXPECT_EQ(message([&] {
              destriper->apply({pixels.data(), 8, 8, 8});
            }),
            "frame of 8 x 8: a type of the plugin (destripe add-one of plugin tester 1.2.3)");
}

TEST_F(Instances, let_errors_of_the_tiles_pass_through_an_aligner_unchanged) {
  struct Tile final : TileView {
    FrameReader* reader = nullptr;
    Index3 shape() const override { return {1, 1, 1}; }
    IndexRange valid_x(std::int64_t) const override { return {0, 1}; }
    void read(const Box&, VolumeView<float> out) override {
      std::uint16_t pixels[8];
      if (reader) reader->read(3, 0, {pixels, 1, 8, 8});
      out.data[0] = 2.5F;
    }
  } tile;
  struct Sink final : ShiftSink {
    std::vector<ShiftSample> samples;
    void add(const ShiftSample& sample) override { samples.push_back(sample); }
  } sink;
  AlignTask task;
  task.fixed = task.moving = &tile;
  create_aligner(registry_, host_.services, {"first-voxel", {}})->align(task, sink);
  ASSERT_EQ(sink.samples.size(), 1U);
  EXPECT_EQ(sink.samples[0].shift.x, 2.5);

  for (const char* mode : {"nan", "confidence"}) {
    const auto bad = create_aligner(registry_, host_.services, {"first-voxel", {{"mode", mode}}});
    EXPECT_THAT(message([&] { bad->align(task, sink); }), HasSubstr("it found a shift")) << mode;
  }
  EXPECT_EQ(sink.samples.size(), 1U);

  const auto broken = frames("exclusive", "error");
  tile.reader = broken.get();
  EXPECT_THAT(message([&] {
                create_aligner(registry_, host_.services, {"first-voxel", {}})->align(task, sink);
              }),
              AllOf(StartsWith("frame 3 of "), EndsWith(kPlugin), Not(HasSubstr("aligner"))));
}

TEST_F(Instances, refuse_options_before_the_plugin_sees_them) {
  EXPECT_THAT(message([&] {
                (void)open_frames(registry_, host_.services, {"exclusive", {{"frame", "3"}}}, file());
              }),
              HasSubstr("reader exclusive has no option 'frame'; the nearest is 'frames'"));
  EXPECT_THAT(message([&] {
                (void)open_frames(registry_, host_.services, {"exclusive", {{"frames", "1001"}}}, file());
              }),
              HasSubstr("option frames of reader exclusive is '1001'; it must be an integer from 0 to 1000"));
}

TEST(PluginLifetime, exceptions_instances_and_openmp_outlive_the_registry) {
  TestHost host;
  const TemporaryFolder folder;
  write_file(folder / "tester.raw", "LOADER TEST1");
  std::exception_ptr kept;
  std::unique_ptr<FrameReader> reader;
  {
    SearchPath path;
    path.files = {plugin_file("tester")};
    const Registry registry(path);
    reader = open_frames(registry, host.services, {"singleton", {}}, folder / "tester.raw");
    std::vector<float> pixels(64, 0.0F);
    create_destriper(registry, host.services, {"add-one", {{"mode", "openmp"}}})
        ->apply({pixels.data(), 8, 8, 8});
    // The object that the plugin itself threw, not the translated one.
    const Item item = registry.find(Kind::frame_reader, "exclusive");
    OptionValue values[] = {{"mode", OptionType::text, false, 0, 0, "local"},
                            {"at-once", OptionType::boolean, true, 0, 0, "true"},
                            {"frames", OptionType::integer, false, 1, 0, "1"}};
    try {
      item.spec->create(host.services, {values, 3}, "");
    } catch (...) {
      kept = std::current_exception();
    }
  }
  EXPECT_EQ(reader->info().frames, 10);
  std::uint16_t pixels[8];
  reader->read(2, 0, {pixels, 1, 8, 8});
  EXPECT_EQ(pixels[0], 200);
  reader.reset();
  try {
    std::rethrow_exception(kept);
  } catch (const std::exception& e) {
    EXPECT_STREQ(e.what(), "a type of the plugin.");
  }
}
