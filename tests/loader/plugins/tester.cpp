// A plugin that behaves as its option `mode` says and watches how the host uses it.
#include <atomic>
#include <chrono>
#include <cstring>
#include <new>
#include <string>
#include <thread>

#include "spim/plugin.hpp"

using namespace spim;

namespace {

constexpr char kMagic[] = "LOADER TEST";

/// Detects two threads inside something that only one may be in.
class OneThread {
 public:
  explicit OneThread(std::atomic<int>& inside) : inside_(inside) {
    if (inside_.fetch_add(1) != 0) {
      inside_.fetch_sub(1);
      throw Error("two threads are inside");
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  ~OneThread() { inside_.fetch_sub(1); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  std::atomic<int>& inside_;
};

struct ForeignException {
  char text[64] = "nobody knows this type";
};

/// A std::exception whose type exists in this library only.
struct LocalException final : std::exception {
  const char* what() const noexcept override { return "a type of the plugin."; }
};

void misbehave(std::string_view mode) {
  if (mode == "error") throw Error("sector 7 cannot be read");
  if (mode == "usage") throw UsageError("options contradict each other");
  if (mode == "int") throw 42;
  if (mode == "foreign") throw ForeignException();
  if (mode == "local") throw LocalException();
  if (mode == "memory") throw std::bad_alloc();
}

constexpr OptionSpec kFrameOptions[] = {
    choice_option("mode", "none",
                  "none|error|usage|int|foreign|local|memory|named|absurd|negative|overflow|type",
                  "what goes wrong in read, or what is wrong with the description"),
    boolean_option("at-once", "false", "throw in the constructor already"),
    integer_option("frames", "10", 0, 1000, "number of frames"),
};

/// Frames of 4 rows and 8 columns with the value 100 · frame + row.
template <Concurrency kDeclared>
class TestFrames final : public FrameReader {
 public:
  TestFrames(Host& host, const Options& options, std::string_view)
      : mode_(options.text("mode")), frames_(options.integer("frames")) {
    if (options.boolean("at-once")) misbehave(mode_);
    host.log(LogLevel::debug, "created");
  }

  static int probe(const char*, const unsigned char* head, std::uint64_t size) noexcept {
    if (size < sizeof kMagic || std::memcmp(head, kMagic, sizeof kMagic - 1) != 0) return 0;
    // The character behind the magic chooses the reader, '*' means any of them.
    const unsigned char which = head[sizeof kMagic - 1];
    if (which == '*') return 50;
    return which == '0' + static_cast<int>(kDeclared) ? 90 : 10;
  }

  StackInfo info() const override {
    StackInfo info{frames_, frames_, 4, 8, PixelType::u16};
    if (mode_ == "absurd") info.rows = 0;
    if (mode_ == "negative") info.frames = -1;
    if (mode_ == "overflow") info.rows = info.columns = std::int64_t{1} << 40;
    if (mode_ == "type") info.type = static_cast<PixelType>(99);
    return info;
  }

  void read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) override {
    static std::atomic<int> inside_any{0};
    if constexpr (kDeclared == Concurrency::exclusive) {
      const OneThread guard(inside_);
      fill(frame, first_row, out);
    } else if constexpr (kDeclared == Concurrency::singleton) {
      const OneThread guard(inside_any);
      fill(frame, first_row, out);
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      fill(frame, first_row, out);
    }
  }

  FrameStamp stamp(std::int64_t frame) override {
    return {true, false, static_cast<std::uint32_t>(frame), 0};
  }

 private:
  void fill(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) {
    if (mode_ == "named") throw Error("frame 3 of tester.raw is cut short");
    misbehave(mode_);
    for (std::int64_t r = 0; r < out.rows; ++r)
      for (std::int64_t c = 0; c < out.columns; ++c)
        out.row(r)[c] = static_cast<std::uint16_t>(100 * frame + first_row + r);
  }

  std::string mode_;
  std::int64_t frames_;
  std::atomic<int> inside_{0};
};

constexpr OptionSpec kVolumeOptions[] = {
    choice_option("mode", "none", "none|error|chunk|levels|pitch", "what goes wrong"),
};

/// A volume of 5 x 4 x 3 voxels with the value x + 10 y + 100 z.
class TestVolume final : public VolumeReader {
 public:
  TestVolume(Host&, const Options& options, std::string_view) : mode_(options.text("mode")) {}

  static int probe(const char*, const unsigned char*, std::uint64_t) noexcept { return 0; }

  VolumeInfo info() const override { return {PixelType::u16, mode_ == "levels" ? -3 : 1}; }

  LevelInfo level(std::int32_t) const override {
    LevelInfo level{{5, 4, 3}, {2, 2, 2}, {1, 1, 1}, {}};
    if (mode_ == "chunk") level.chunk.y = 0;
    if (mode_ == "pitch") level.voxel_um.z = -1;
    return level;
  }

  void read(std::int32_t, const Box& box, VolumeView<std::uint16_t> out) override {
    misbehave(mode_);
    for (std::int64_t z = 0; z < out.size.z; ++z)
      for (std::int64_t y = 0; y < out.size.y; ++y)
        for (std::int64_t x = 0; x < out.size.x; ++x)
          out.row(y, z)[x] =
              static_cast<std::uint16_t>(box.begin.x + x + 10 * (box.begin.y + y) + 100 * (box.begin.z + z));
  }

 private:
  std::string mode_;
};

constexpr OptionSpec kWriterOptions[] = {
    choice_option("mode", "none", "none|error|int|chunk", "what goes wrong in write and in chunk_shape"),
};

/// Counts chunks; checks that one instance gets all of them, one after the other.
class TestWriter final : public VolumeWriter {
 public:
  TestWriter(Host& host, const Options& options, std::string_view) : mode_(options.text("mode")) {
    host.log(LogLevel::debug, "created");
  }

  Index3 chunk_shape(const VolumeSpec&) const override {
    return mode_ == "chunk" ? Index3{8, 0, 8} : Index3{8, 8, 8};
  }
  void begin(const VolumeSpec&) override { begun_ = true; }
  void write(const ChunkAddress&, VolumeView<const std::uint16_t>) override {
    const OneThread guard(inside_);
    if (!begun_) throw Error("write before begin");
    misbehave(mode_);
    ++chunks_;
  }
  void finish() override {}
  void describe(MetadataSink& sink) override { sink.integer("chunks", chunks_); }

 private:
  std::string mode_;
  bool begun_ = false;
  std::int64_t chunks_ = 0;
  std::atomic<int> inside_{0};
};

constexpr OptionSpec kDestriperOptions[] = {
    choice_option("mode", "host", "host|openmp|throw", "how the rows are shared out"),
};

/// Adds one to each pixel, on the workers of the host or on threads of its own OpenMP region.
class TestDestriper final : public Destriper {
 public:
  TestDestriper(Host& host, const Options& options) : host_(host), mode_(options.text("mode")) {}

  void apply(ImageView<float> frame) override {
    if (mode_ == "openmp") {
#pragma omp parallel for num_threads(2)
      for (std::int64_t r = 0; r < frame.rows; ++r) add_one(frame, r);
      return;
    }
    struct Context {
      ImageView<float> frame;
      bool fail;
    } context{frame, mode_ == "throw"};
    host_.parallel_for(
        frame.rows,
        [](void* opaque, std::int64_t row) {
          const auto& c = *static_cast<Context*>(opaque);
          if (c.fail && row == 2) throw LocalException();
          add_one(c.frame, row);
        },
        &context);
  }

 private:
  static void add_one(ImageView<float> frame, std::int64_t r) {
    for (std::int64_t c = 0; c < frame.columns; ++c) frame.row(r)[c] += 1;
  }

  Host& host_;
  std::string mode_;
};

constexpr OptionSpec kAlignerOptions[] = {
    choice_option("mode", "none", "none|nan|confidence", "what is wrong with the sample"),
};

class TestAligner final : public Aligner {
 public:
  TestAligner(Host&, const Options& options) : mode_(options.text("mode")) {}

  void align(const AlignTask& task, ShiftSink& sink) override {
    float voxel = 0;
    task.fixed->read({{0, 0, 0}, {1, 1, 1}}, dense_view(&voxel, {1, 1, 1}));
    ShiftSample sample{{}, {static_cast<double>(voxel), 0, 0}, 1, 1};
    if (mode_ == "nan") sample.shift.x = __builtin_nan("");
    if (mode_ == "confidence") sample.confidence = 7;
    sink.add(sample);
  }

 private:
  std::string mode_;
};

void* create_nothing(Host&, const Options&, const char*) {
  return nullptr;
}

constexpr ItemSpec kItems[] = {
    implement<TestFrames<Concurrency::exclusive>>("exclusive", "frames, one thread per instance",
                                                  Concurrency::exclusive, kFrameOptions),
    implement<TestFrames<Concurrency::reentrant>>("reentrant", "frames, any number of threads",
                                                  Concurrency::reentrant, kFrameOptions),
    implement<TestFrames<Concurrency::singleton>>("singleton", "frames, one thread in the process",
                                                  Concurrency::singleton, kFrameOptions),
    implement<TestVolume>("volume", "a small volume", Concurrency::exclusive, kVolumeOptions),
    implement<TestWriter>("counter", "counts chunks", Concurrency::exclusive, kWriterOptions),
    implement<TestDestriper>("add-one", "adds one", Concurrency::exclusive, kDestriperOptions),
    implement<TestAligner>("first-voxel", "takes the first voxel for the shift", Concurrency::reentrant,
                           kAlignerOptions),
    {Kind::destriper, Concurrency::exclusive, "nothing", "creates nothing", nullptr, 0, &create_nothing,
     nullptr},
};

}  // namespace

SPIM_EXPORT_PLUGIN("tester", "1.2.3", "tests", kItems);
