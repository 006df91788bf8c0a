// The smallest useful plugin: frames of uint16 samples, one after the other, behind a header that is skipped.
// Copy the folder, replace my-camera by your own name, then make it read your format.
#include <filesystem>
#include <fstream>
#include <spim/plugin.hpp>
#include <string>

namespace {

constexpr spim::OptionSpec kOptions[] = {
    spim::integer_option("rows", "2048", 1, 65536, "rows of a frame, in pixels"),
    spim::integer_option("columns", "2048", 1, 65536, "columns of a frame, in pixels"),
    spim::integer_option("skip", "0", 0, spim::kNoLimit, "bytes before the first frame"),
};

class MyCamera final : public spim::FrameReader {
 public:
  MyCamera(spim::Host&, const spim::Options& options, std::string_view path)
      : path_(path), file_(path_, std::ios::binary), skip_(options.integer("skip")) {
    if (!file_) throw spim::Error(path_ + " cannot be opened; check its name and permissions");
    info_.rows = options.integer("rows");
    info_.columns = options.integer("columns");
    const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(path_));
    if (bytes - skip_ < frame_bytes())
      throw spim::Error(path_ + " is too short for one frame: " + std::to_string(bytes - skip_) + " of " +
                        std::to_string(frame_bytes()) + " bytes; check the options rows, columns and skip");
    info_.frames = info_.declared = (bytes - skip_) / frame_bytes();
  }

  // Nothing in such a file says what it is, so it is only read when asked for by name. A number above 0, say
  // for names that end in .mycam, lets spimstitch find your files in the folders of an acquisition.
  static int probe(const char*, const unsigned char*, std::uint64_t) noexcept { return 0; }

  spim::StackInfo info() const override { return info_; }

  void read(std::int64_t frame, std::int64_t first_row, spim::ImageView<std::uint16_t> out) override {
    file_.clear();
    file_.seekg(skip_ + frame * frame_bytes() + first_row * info_.columns * 2);
    for (std::int64_t i = 0; i < out.rows; ++i)
      file_.read(reinterpret_cast<char*>(out.row(i)), out.columns * 2);
    if (!file_) throw spim::Error(path_ + " cannot be read to the end of frame " + std::to_string(frame));
  }

 private:
  std::int64_t frame_bytes() const { return info_.rows * info_.columns * 2; }

  std::string path_;
  std::ifstream file_;
  std::int64_t skip_;
  spim::StackInfo info_;
};

constexpr spim::ItemSpec kItems[] = {
    // exclusive: the stream has one position, so each worker gets an instance of its own.
    spim::implement<MyCamera>("my-camera", "frames of my camera", spim::Concurrency::exclusive, kOptions),
};

}  // namespace

SPIM_EXPORT_PLUGIN("my-camera", "0.1.0", "my lab", kItems);
