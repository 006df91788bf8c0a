#include "image_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "spim/error.hpp"
#include "spim/host/tiff_image.hpp"
#include "spim/host/tiles.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

bool has_tiff_name(const fs::path& path) {
  const std::string extension = lower(path.extension().string());
  return extension == ".tif" || extension == ".tiff";
}

bool is_tiff(const fs::path& path) {
  std::array<char, 4> head{};
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), head.size());
  const std::string_view magic(head.data(), static_cast<std::size_t>(file.gcount()));
  using std::string_view_literals::operator""sv;
  return magic == "II*\0"sv || magic == "MM\0*"sv || magic == "II+\0"sv || magic == "MM\0+"sv;
}

/// A single image as a camera file.
class OneFrame final : public FrameReader {
 public:
  explicit OneFrame(OwnedImage<std::uint16_t> image) : image_(std::move(image)) {}
  StackInfo info() const override { return {1, 1, image_.rows, image_.columns, PixelType::u16}; }
  void read(std::int64_t, std::int64_t first_row, ImageView<std::uint16_t> out) override {
    for (std::int64_t i = 0; i < out.rows; ++i)
      std::copy_n(std::as_const(image_).view().row(first_row + i), out.columns, out.row(i));
  }

 private:
  OwnedImage<std::uint16_t> image_;
};

OwnedImage<std::uint16_t> image_of(FrameSource& source, std::int64_t frame) {
  OwnedImage<std::uint16_t> image(source.shape().rows, source.shape().columns);
  load_image(source, frame, image.view());
  return image;
}

class TiffInput final : public ImageInput {
 public:
  TiffInput(fs::path root, std::vector<fs::path> files, const StackOptions& options)
      : root_(std::move(root)),
        files_(std::move(files)),
        orientation_{static_cast<int>(options.rotate_90), options.flip_ud} {
    for (const fs::path& file : files_) {
      const TiffInfo info = TiffReader(file).info();
      if (info.type != TiffSample::u8 && info.type != TiffSample::u16)
        throw Error(fmt::format("{}: has samples of {}; frames have uint8 or uint16", file.string(),
                                tiff_sample_word(info.type)));
      const bool turned = orientation_.rotate_90 % 2 != 0;
      shapes_.push_back(turned ? ImageShape{info.columns, info.rows} : ImageShape{info.rows, info.columns});
    }
  }

  std::int64_t count() const override { return static_cast<std::int64_t>(files_.size()); }
  ImageShape shape(std::int64_t i) const override { return shapes_[static_cast<std::size_t>(i)]; }
  std::string name(std::int64_t i) const override { return file(i).string(); }
  fs::path output(std::int64_t i, const fs::path& output) const override {
    if (fs::is_directory(root_)) return output / file(i).lexically_relative(root_);
    return fs::is_directory(output) ? output / root_.filename() : output;
  }
  fs::path default_output() const override {
    if (fs::is_directory(root_)) {
      std::string name = root_.string();
      while (name.size() > 1 && name.ends_with('/')) name.pop_back();
      return name + "_destriped";
    }
    return root_.parent_path() / (root_.stem().string() + "_destriped" + root_.extension().string());
  }
  std::vector<fs::path> files() const override { return files_; }
  OwnedImage<std::uint16_t> load(std::int64_t i) const override {
    OwnedImage<std::uint16_t> image = read_tiff_u16(file(i));
    if (orientation_.rotate_90 == 0 && !orientation_.flip_ud) return image;
    return image_of(*oriented_frames(std::make_shared<OneFrame>(std::move(image)), orientation_, {}), 0);
  }

 private:
  const fs::path& file(std::int64_t i) const { return files_[static_cast<std::size_t>(i)]; }

  fs::path root_;
  std::vector<fs::path> files_;
  Orientation orientation_;
  std::vector<ImageShape> shapes_;
};

class CameraInput final : public ImageInput {
 public:
  CameraInput(fs::path path, std::unique_ptr<FrameSource> frames, std::int64_t first)
      : path_(std::move(path)), frames_(std::move(frames)), first_(first) {}

  std::int64_t count() const override { return frames_->shape().frames; }
  ImageShape shape(std::int64_t) const override { return {frames_->shape().rows, frames_->shape().columns}; }
  std::string name(std::int64_t i) const override {
    return fmt::format("frame {} of {}", first_ + i, path_.string());
  }
  fs::path output(std::int64_t i, const fs::path& output) const override {
    return output / fmt::format("{:04}.tif", first_ + i);
  }
  fs::path default_output() const override {
    return path_.parent_path() / (path_.stem().string() + "_destriped");
  }
  std::vector<fs::path> files() const override { return {path_}; }
  OwnedImage<std::uint16_t> load(std::int64_t i) const override { return image_of(*frames_, i); }

 private:
  fs::path path_;
  std::unique_ptr<FrameSource> frames_;
  std::int64_t first_;
};

/// TIFF files anywhere under `folder`, sorted. Hidden entries do not count.
std::vector<fs::path> tiff_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator i(folder), end; i != end; ++i) {
    if (i->path().filename().string().starts_with('.')) {
      i.disable_recursion_pending();
      continue;
    }
    if (!i->is_regular_file()) continue;
    if (is_dcimg_name(i->path()))
      throw Error(
          fmt::format("{}: is a camera file among images; give it alone as --input, or stitch the folder "
                      "with spimstitch-pipeline",
                      i->path().string()));
    if (has_tiff_name(i->path())) files.push_back(i->path());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::unique_ptr<ImageInput> open_images(const fs::path& path, StackOpener& opener,
                                        const StackOptions& options) {
  std::error_code error;
  if (!fs::exists(path, error)) throw Error(fmt::format("{}: does not exist", path.string()));
  const bool is_folder = fs::is_directory(path);
  std::vector<fs::path> files;
  if (is_folder)
    files = tiff_files(path);
  else if (is_tiff(path) || has_tiff_name(path))
    files = {path};
  else
    return std::make_unique<CameraInput>(path, opener.open(path), options.start);
  if (files.empty()) throw Error(fmt::format("{}: holds no TIFF files (.tif, .tiff)", path.string()));
  if (options.start != 0 || options.stop != 0)
    throw UsageError(fmt::format("{}: --start and --stop choose frames of a camera file", path.string()));
  return std::make_unique<TiffInput>(path, std::move(files), options);
}

}  // namespace spim::cli
