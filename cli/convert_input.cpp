#include "convert_input.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "box_text.hpp"
#include "recognition.hpp"
#include "spim/error.hpp"
#include "spim/host/converted_volume.hpp"
#include "spim/host/cropped_volume.hpp"
#include "spim/host/frame_volume.hpp"
#include "spim/host/instances.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

Vec3 parse_voxel_size(const std::string& text) {
  if (text.empty()) return {};
  const std::vector<std::string> parts = split(text, ',');
  const auto refuse = [&] {
    throw UsageError(
        fmt::format("option --voxel-size: \"{}\" is not three lengths above 0 in micrometres, X,Y,Z", text));
  };
  if (parts.size() != 3) refuse();
  const Vec3 um{parse_number(parts[0]), parse_number(parts[1]), parse_number(parts[2])};
  if (!(um.x > 0 && um.y > 0 && um.z > 0)) refuse();
  return um;
}

std::string name_of(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::absolute(path).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).stem().string();
}

/// The channels that are wanted of `count`.
std::vector<std::int64_t> chosen_channels(const std::string& text, std::int64_t count,
                                          const std::string& path) {
  std::vector<std::int64_t> chosen;
  if (text.empty())
    for (std::int64_t i = 0; i < count; ++i) chosen.push_back(i);
  else
    for (const std::string& part : split(text, ',')) {
      chosen.push_back(parse_integer(part));
      if (chosen.back() < 0 || chosen.back() >= count)
        throw UsageError(
            fmt::format("{}: there is no channel {}; it has {}, counted from 0", path, part, count));
    }
  return chosen;
}

/// What a stack of images says of its first file.
class FirstFile final : public MetadataSink {
 public:
  void text(std::string_view key, std::string_view value) override {
    if (key == "first file") path = value;
  }
  void integer(std::string_view, std::int64_t) override {}
  void number(std::string_view, double) override {}
  std::string path;
};

}  // namespace

PlaneLabels InputChannel::labels() const {
  PlaneLabels labels;
  labels.name = name;
  labels.source = source;
  labels.origin_um = origin_um;
  labels.stamp = stamp;
  if (stamp) labels.first_frame = first_plane;
  return labels;
}

void add_input_options(CommandLine& line, InputOptions& options) {
  line.group("What to convert");
  line.text({"box", "X0:X1,Y0:Y1,Z0:Z1",
             "voxels of the level to take, half-open, counted from 0; a side that is left out reaches to the "
             "edge, as in :,:,100:200; without it all"},
            options.box);
  line.integer({"level", "N", "level of the volume's pyramid to take, 0 is full resolution"}, options.level,
               {0, 62});
  line.text({"channels", "N,N", "channels of a volume with several, counted from 0; without it all"},
            options.channels);
  line.text(
      {"voxel-size", "X,Y,Z", "size of a voxel of the level in micrometres; without it what the file says"},
      options.voxel_size);
}

InputOpener::InputOpener(Session& session, const Selections& plugins, const InputOptions& input,
                         const StackOptions& stack)
    : session_(&session),
      plugins_(plugins),
      options_(input),
      stacks_(session, plugins, stack),
      oriented_(stack.rotate_90 != 0 || stack.flip_ud),
      voxel_um_(parse_voxel_size(input.voxel_size)) {}

std::vector<InputChannel> InputOpener::open(const std::string& path) {
  const Kind preferred = oriented_ ? Kind::frame_reader : Kind::volume_reader;
  if (recognise(session_->registry(), path, plugins_, preferred) == Kind::volume_reader)
    return open_volume_channels(path);
  if (options_.level > 0)
    throw UsageError(fmt::format("{}: a stack of frames has no level but 0; leave out --level", path));
  (void)chosen_channels(options_.channels, 1, path);
  return {open_stack(path)};
}

std::vector<InputChannel> InputOpener::open_volume_channels(const std::string& path) {
  Selection selection = plugins_.volume_reader;
  const auto first = std::shared_ptr(open_volume(session_->registry(), session_->host(), selection, path));
  const VolumeInfo info = first->info();
  const auto level = static_cast<std::int32_t>(options_.level);
  if (level >= info.levels)
    throw UsageError(
        fmt::format("{}: there is no level {}; the coarsest is {}", path, level, info.levels - 1));
  const LevelInfo at = first->level(level);
  const Vec3 voxel_um = voxel_size(at.voxel_um, path);
  std::vector<InputChannel> channels;
  const auto add = [&](std::shared_ptr<VolumeReader> reader) {
    const ValidRegion whole{at.shape, 0, 0, at.shape.x, 1};
    channels.push_back(
        boxed(converted_volume(std::move(reader), level, whole, voxel_um), at.origin_um, path));
  };
  if (info.channels == 1) {
    (void)chosen_channels(options_.channels, 1, path);
    add(first);
  } else {
    for (const std::int64_t channel : chosen_channels(options_.channels, info.channels, path)) {
      selection.options["channel"] = std::to_string(channel);
      add(open_volume(session_->registry(), session_->host(), selection, path));
      channels.back().name += fmt::format(" {}", channel);
    }
  }
  return channels;
}

/// Readers of frames know no lengths, but the first image of a stack may be a plane of a volume that does.
LevelInfo InputOpener::first_image(FrameReader& reader) const {
  FirstFile first;
  reader.describe(first);
  if (first.path.empty() || oriented_) return {};
  try {
    return open_volume(session_->registry(), session_->host(), plugins_.volume_reader, first.path)->level(0);
  } catch (const Cancelled&) {
    throw;
  } catch (const Error&) {
    return {};  // no volume: what is wrong with a frame is said when it is read
  }
}

InputChannel InputOpener::open_stack(const std::string& path) {
  const std::shared_ptr<FrameReader> reader = stacks_.open_stored(path);
  const LevelInfo image = first_image(*reader);
  InputChannel channel = boxed(
      frame_volume(stacks_.frames_of(path, reader), voxel_size(image.voxel_um, path)), image.origin_um, path);
  channel.stamp = [reader, first = channel.first_plane](std::int64_t plane) {
    return reader->stamp(first + plane);
  };
  return channel;
}

Vec3 InputOpener::voxel_size(Vec3 um, const std::string& path) const {
  if (voxel_um_.x > 0) return voxel_um_;
  if ((um.x > 0 && um.y > 0 && um.z > 0) || !needs_voxel_size_) return um;
  session_->warn(fmt::format(
      "{}: does not say how large its voxels are; 1 micrometre is written, or give --voxel-size", path));
  return {1, 1, 1};
}

InputChannel InputOpener::boxed(std::unique_ptr<VolumeSource> volume, Vec3 origin_um,
                                const std::string& path) const {
  const Index3 shape = volume->shape();
  const Box box = parse_box(options_.box, shape, path);
  const Vec3 um = volume->voxel_um();
  const Vec3 at =
      origin_um + Vec3{static_cast<double>(box.begin.x) * um.x, static_cast<double>(box.begin.y) * um.y,
                       static_cast<double>(box.begin.z) * um.z};
  const std::string file = std::filesystem::path(path).filename().string();
  std::shared_ptr<VolumeSource> part = std::move(volume);
  if (box != Box{{}, shape}) part = cropped_volume(std::move(part), box);
  return {std::move(part), at, name_of(path), file, box.begin.z, {}};
}

}  // namespace spim::cli
