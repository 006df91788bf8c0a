// Implementations with one fault each, chosen by the option `fault`: the conformance suites must find it.
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "spim/plugin.hpp"

using namespace spim;

namespace {

constexpr OptionSpec kReaderOptions[] = {
    choice_option("fault", "none", "none|missing|foreign|rows|stride", "what the reader does wrong"),
};

/// A header of 8 bytes, then 3 frames of 6 x 7 uint16.
class FaultyReader final : public FrameReader {
 public:
  FaultyReader(Host&, const Options& options, std::string_view path) : fault_(options.text("fault")) {
    std::ifstream in(std::string(path), std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
    if (bytes_.size() == 8 + 3 * 6 * 7 * 2) return;
    if (fault_ == "foreign") throw 7;
    if (fault_ != "missing") throw Error("it is not a faulty file");
    bytes_.resize(8 + 3 * 6 * 7 * 2);
  }

  static int probe(const char*, const unsigned char* head, std::uint64_t size) noexcept {
    return size == 8 + 3 * 6 * 7 * 2 && std::memcmp(head, "FAULTY", 6) == 0 ? 100 : 0;
  }

  StackInfo info() const override { return {3, 3, 6, 7, PixelType::u16}; }

  void read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) override {
    if (fault_ == "rows" && first_row > 2) --first_row;
    const std::int64_t stride = fault_ == "stride" ? out.columns : out.row_stride;
    for (std::int64_t r = 0; r < out.rows; ++r)
      std::memcpy(out.data + r * stride, bytes_.data() + 8 + ((frame * 6 + first_row + r) * 7) * 2, 14);
  }

 private:
  std::string fault_;
  std::string bytes_;
};

constexpr OptionSpec kWriterOptions[] = {
    choice_option("fault", "none", "none|loses|early|outside|eager|unchecked|shifted",
                  "what the writer does wrong"),
};

constexpr char kVolumeMagic[] = "FAULTYVOLUME";

/// What stands at the beginning of a volume file, before the dense uint16 voxels of all levels.
struct Head {
  char magic[sizeof kVolumeMagic] = {};
  VolumeSpec spec;
};

std::int64_t first_voxel(const VolumeSpec& spec, std::int32_t level) {
  std::int64_t sum = 0;
  for (std::int32_t l = 0; l < level; ++l) sum += count(level_shape(spec.shape, l));
  return sum;
}

class FaultyWriter final : public VolumeWriter {
 public:
  FaultyWriter(Host&, const Options& options, std::string_view path)
      : fault_(options.text("fault")), path_(path) {
    if (fault_ == "eager") std::ofstream(path_) << "too early";
  }

  Index3 chunk_shape(const VolumeSpec& spec) const override {
    const auto or_16 = [](std::int64_t n) { return n > 0 ? n : 16; };
    return {or_16(spec.chunk.x), or_16(spec.chunk.y), or_16(spec.chunk.z)};
  }

  void begin(const VolumeSpec& spec) override {
    head_.spec = spec;
    voxels_.assign(static_cast<std::size_t>(first_voxel(spec, spec.levels)), 0);
    if (fault_ == "outside") std::ofstream(path_ + ".lock") << "beside";
  }

  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override {
    if (voxels_.empty()) {
      if (fault_ == "unchecked") return;
      throw Error("write before begin");
    }
    if (fault_ == "loses" && chunk.index.x == 1) return;
    const VolumeSpec& spec = head_.spec;
    const Index3 shape = level_shape(spec.shape, chunk.level);
    for (std::int64_t z = 0; z < voxels.size.z; ++z)
      for (std::int64_t y = 0; y < voxels.size.y; ++y) {
        const std::int64_t row =
            (chunk.index.z * spec.chunk.z + z) * shape.y + chunk.index.y * spec.chunk.y + y;
        std::memcpy(
            voxels_.data() + first_voxel(spec, chunk.level) + row * shape.x + chunk.index.x * spec.chunk.x,
            voxels.row(y, z), static_cast<std::size_t>(voxels.size.x) * 2);
      }
    if (fault_ == "early") store();
  }

  void finish() override {
    if (voxels_.empty()) {
      if (fault_ == "unchecked") return;
      throw Error("finish before begin");
    }
    if (fault_ == "shifted") head_.spec.origin_um.x += 1;
    store();
  }

 private:
  void store() {
    std::memcpy(head_.magic, kVolumeMagic, sizeof kVolumeMagic);
    std::ofstream out(path_, std::ios::binary);
    out.write(reinterpret_cast<const char*>(&head_), sizeof head_);
    out.write(reinterpret_cast<const char*>(voxels_.data()),
              static_cast<std::streamsize>(voxels_.size() * 2));
  }

  std::string fault_, path_;
  Head head_;
  std::vector<std::uint16_t> voxels_;
};

class FaultyVolume final : public VolumeReader {
 public:
  FaultyVolume(Host&, const Options&, std::string_view path) {
    std::ifstream in(std::string(path), std::ios::binary);
    if (!in.read(reinterpret_cast<char*>(&head_), sizeof head_) ||
        std::memcmp(head_.magic, kVolumeMagic, sizeof kVolumeMagic) != 0)
      throw Error("it is not a faulty volume");
    voxels_.resize(static_cast<std::size_t>(first_voxel(head_.spec, head_.spec.levels)));
    in.read(reinterpret_cast<char*>(voxels_.data()), static_cast<std::streamsize>(voxels_.size() * 2));
  }

  static int probe(const char*, const unsigned char* head, std::uint64_t size) noexcept {
    return size >= sizeof kVolumeMagic && std::memcmp(head, kVolumeMagic, sizeof kVolumeMagic) == 0 ? 100 : 0;
  }

  VolumeInfo info() const override { return {head_.spec.type, head_.spec.levels}; }

  LevelInfo level(std::int32_t level) const override {
    const double f = static_cast<double>(std::int64_t{1} << level);
    const Vec3 v = head_.spec.voxel_um, o = head_.spec.origin_um;
    return {level_shape(head_.spec.shape, level),
            head_.spec.chunk,
            {v.x * f, v.y * f, v.z * f},
            {o.x + v.x * (f - 1) / 2, o.y + v.y * (f - 1) / 2, o.z + v.z * (f - 1) / 2}};
  }

  void read(std::int32_t level, const Box& box, VolumeView<std::uint16_t> out) override {
    const Index3 shape = level_shape(head_.spec.shape, level);
    for (std::int64_t z = 0; z < out.size.z; ++z)
      for (std::int64_t y = 0; y < out.size.y; ++y) {
        const std::int64_t row = (box.begin.z + z) * shape.y + box.begin.y + y;
        std::memcpy(out.row(y, z),
                    voxels_.data() + first_voxel(head_.spec, level) + row * shape.x + box.begin.x,
                    static_cast<std::size_t>(out.size.x) * 2);
      }
  }

 private:
  Head head_;
  std::vector<std::uint16_t> voxels_;
};

constexpr OptionSpec kDestriperOptions[] = {
    choice_option("fault", "none", "none|nan|stride|darker|random", "what the destriper does wrong"),
};

class FaultyDestriper final : public Destriper {
 public:
  FaultyDestriper(Host&, const Options& options) : fault_(options.text("fault")) {}

  void apply(ImageView<float> frame) override {
    static std::atomic<int> calls{0};
    if (fault_ == "nan" && frame.columns == 33) frame.data[3] = __builtin_nanf("");
    if (fault_ == "darker") frame.data[0] /= 2;
    if (fault_ == "stride") frame.data[frame.rows * frame.columns - 1] = 1000;
    if (fault_ == "random") frame.data[0] += static_cast<float>(++calls % 2);
  }

 private:
  std::string fault_;
};

constexpr OptionSpec kAlignerOptions[] = {
    choice_option("fault", "none", "none|blind|constant|random", "what the aligner does wrong"),
};

/// Knows what the suite asks: it compares whole tiles at the few shifts that occur there.
class FaultyAligner final : public Aligner {
 public:
  FaultyAligner(Host&, const Options& options) : fault_(options.text("fault")) {}

  void align(const AlignTask& task, ShiftSink& sink) override {
    static std::atomic<int> calls{0};
    if (fault_ == "blind") return;
    ShiftSample best;
    for (const Index3 shift : {Index3{0, 0, 0}, Index3{2, -1, 1}, Index3{1, 1, 0}}) {
      const Vec3 s{static_cast<double>(shift.x), static_cast<double>(shift.y), static_cast<double>(shift.z)};
      const double match = fault_ == "constant" ? 1 : compare(task, shift);
      if (match > best.confidence) best = {{}, s, match, match};
    }
    if (fault_ == "random") best.shift.x += 1e-3 * (++calls % 2);
    if (best.confidence > 0) sink.add(best);
  }

 private:
  /// 1 when a row of the overlap is the same in both tiles and not constant, else 0.
  static double compare(const AlignTask& task, Index3 shift) {
    constexpr std::int64_t kRow = 16;
    const Index3 guess{static_cast<std::int64_t>(task.guess_voxels.x),
                       static_cast<std::int64_t>(task.guess_voxels.y),
                       static_cast<std::int64_t>(task.guess_voxels.z)};
    const Index3 q{8, 8, 8}, p = q + guess + shift;
    std::vector<float> a(kRow), b(kRow);
    task.fixed->read({p, p + Index3{kRow, 1, 1}}, dense_view(a.data(), {kRow, 1, 1}));
    task.moving->read({q, q + Index3{kRow, 1, 1}}, dense_view(b.data(), {kRow, 1, 1}));
    return a == b && a[0] != a[1] ? 1 : 0;
  }

  std::string fault_;
};

constexpr ItemSpec kItems[] = {
    implement<FaultyReader>("faulty", "reads", Concurrency::reentrant, kReaderOptions),
    implement<FaultyVolume>("faulty", "reads volumes", Concurrency::reentrant),
    implement<FaultyWriter>("faulty", "writes", Concurrency::exclusive, kWriterOptions),
    implement<FaultyDestriper>("faulty", "destripes", Concurrency::exclusive, kDestriperOptions),
    implement<FaultyAligner>("faulty", "aligns", Concurrency::exclusive, kAlignerOptions),
};

}  // namespace

SPIM_EXPORT_PLUGIN("faulty", "1.0", "tests", kItems);
