#include "corrected_example.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "before_after.hpp"
#include "channel_run.hpp"
#include "pixel_sample.hpp"
#include "spim/host/tiff_image.hpp"

namespace spim::cli {

namespace {

using Image = OwnedImage<std::uint16_t>;

constexpr std::int64_t kLongest = 900;  ///< samples of a picture of a whole frame
constexpr std::int64_t kDetail = 420;   ///< pixels of the part that is shown as it is
constexpr std::size_t kCurve = 200;     ///< points

struct Part {
  std::int64_t row = 0, column = 0, rows = 0, columns = 0;
};

/// Means of squares of `factor` pixels; what is left over at the ends is left out.
Picture reduced(const Image& image, std::int64_t factor) {
  Picture picture;
  picture.rows = std::max<std::int64_t>(1, image.rows / factor);
  picture.columns = std::max<std::int64_t>(1, image.columns / factor);
  const std::int64_t height = std::min(factor, image.rows), width = std::min(factor, image.columns);
  for (std::int64_t y = 0; y < picture.rows; ++y)
    for (std::int64_t x = 0; x < picture.columns; ++x) {
      std::int64_t sum = 0;
      for (std::int64_t i = 0; i < height; ++i) {
        const std::uint16_t* row = image.view().row(y * factor + i) + x * factor;
        for (std::int64_t j = 0; j < width; ++j) sum += row[j];
      }
      picture.samples.push_back(static_cast<std::uint16_t>(sum / (height * width)));
    }
  return picture;
}

Picture whole(const Image& image) {
  return reduced(image, ceil_div(std::max(image.rows, image.columns), kLongest));
}

Picture cut(const Image& image, const Part& part) {
  Picture picture{part.rows, part.columns, {}, 1, 1};
  for (std::int64_t y = 0; y < part.rows; ++y) {
    const std::uint16_t* row = image.view().row(part.row + y) + part.column;
    picture.samples.insert(picture.samples.end(), row, row + part.columns);
  }
  return picture;
}

/// The brightest part, in which a few very bright pixels count no more than others.
Part part_to_show(const Image& image, Contrast contrast) {
  Part part{0, 0, std::min(kDetail, image.rows), std::min(kDetail, image.columns)};
  const std::int64_t step = 64;
  std::int64_t most = -1;
  for (std::int64_t y = 0; y + part.rows <= image.rows; y += step)
    for (std::int64_t x = 0; x + part.columns <= image.columns; x += step) {
      std::int64_t sum = 0;
      for (std::int64_t i = 0; i < part.rows; i += 8)
        for (std::int64_t j = 0; j < part.columns; j += 8)
          sum += std::min(image.view().row(y + i)[x + j], contrast.white);
      if (sum <= most) continue;
      most = sum;
      part.row = y;
      part.column = x;
    }
  return part;
}

struct Example {
  std::filesystem::path file;
  std::int64_t frame = 0;
  Image before, after;
  std::int64_t content = -1;
};

/// The spread of the grey levels.
std::int64_t content_of(const Image& image) {
  Histogram histogram;
  histogram.add(image.samples);
  return histogram.percentile_above_zero(0.99) - histogram.percentile_above_zero(0.2);
}

Image load(FrameSource& frames, std::int64_t frame) {
  Image image(frames.shape().rows, frames.shape().columns);
  load_image(frames, frame, image.view());
  return image;
}

/// A quarter, a half and three quarters of the way through the first, the middle and the last tile.
Example choose(Session& session, const StitchRequest& request) {
  const TileAccess plain = plain_access(request);
  StackOpener opener(session, plain.plugins, plain.stack);
  const std::vector<TilePath> tiles = TileFolder(session, plain).paths();
  Example best;
  std::string failure;
  for (const std::size_t i : {tiles.size() / 2, std::size_t{0}, tiles.size() - 1}) try {
      const auto frames = opener.open(tiles[i].path, StackChecks::none);
      for (const std::int64_t quarter : {2, 1, 3}) {
        session.executor().cancel().check();
        const std::int64_t frame = std::min(frames->shape().frames * quarter / 4, frames->shape().frames - 1);
        Image image = load(*frames, frame);
        const std::int64_t content = content_of(image);
        if (content > best.content) best = {tiles[i].path, frame, std::move(image), {}, content};
      }
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {
      failure = error.what();  // another one may do
    }
  if (best.content < 0) throw Error(failure);
  return best;
}

std::string what_was_done(const StitchRequest& request) {
  const CorrectionOptions& corrections = request.stack.corrections;
  std::string text;
  const auto add = [&](const std::string& step) { text += (text.empty() ? "" : ", ") + step; };
  if (corrections.magnification != 1) add(fmt::format("enlarged {} times", corrections.magnification));
  if (corrections.dark > 0) add(fmt::format("dark level of {} subtracted", corrections.dark));
  if (const std::string& id = request.plugins.get().destripe.id; !id.empty()) add("destriped by " + id);
  if (corrections.has_flat()) add("divided by the illumination");
  return text;
}

/// Means of `count` samples each `stride` apart, at every position along the other axis.
std::vector<double> thinned(const std::vector<double>& values) {
  const std::size_t step = std::max<std::size_t>(1, values.size() / kCurve);
  std::vector<double> some;
  for (std::size_t i = 0; i < values.size(); i += step) some.push_back(values[i]);
  return some;
}

}  // namespace

std::optional<CorrectionPictures> corrected_example(Session& session, const StitchRequest& request) {
  const std::string done = what_was_done(request);
  if (done.empty()) return std::nullopt;
  Example example = choose(session, request);
  StackOpener opener(session, request.plugins.get(), request.stack);
  example.after = load(*opener.open(example.file, StackChecks::none), example.frame);
  const Contrast contrast = common_contrast(example.before, example.after);
  const Part part = part_to_show(example.before, contrast);
  CorrectionPictures pictures;
  const std::array of{std::pair{&pictures.before, whole(example.before)},
                      std::pair{&pictures.after, whole(example.after)},
                      std::pair{&pictures.detail_before, cut(example.before, part)},
                      std::pair{&pictures.detail_after, cut(example.after, part)}};
  session.executor().parallel_for(of.size(), [&](std::int64_t i, int) {
    const auto& [target, picture] = of[static_cast<std::size_t>(i)];
    *target = {png_of(picture, contrast), static_cast<double>(picture.columns),
               static_cast<double>(picture.rows)};
  });
  pictures.caption = fmt::format(
      "Frame {} of {}: {}. x of the camera (depth) to the right, y down. Black is {}, white {} grey levels "
      "before and "
      "after. The detail is {} × {} pixels from column {}, row {}.",
      example.frame, example.file.string(), done, contrast.black, contrast.white, part.columns, part.rows,
      part.column, part.row);
  return pictures;
}

std::optional<ProfilePictures> profile_pictures(const StitchRequest& request) {
  if (!request.stack.corrections.has_flat()) return std::nullopt;
  const OwnedImage<float> profile = read_tiff_float(request.stack.corrections.flat);
  const auto [least, most] = std::ranges::minmax_element(profile.samples);
  if (!(*most > 0)) throw Error(fmt::format("{}: has no sample above 0", request.stack.corrections.flat));
  Image image(profile.rows, profile.columns);
  std::vector<double> along_x(static_cast<std::size_t>(profile.columns)),
      along_y(static_cast<std::size_t>(profile.rows));
  for (std::int64_t y = 0; y < profile.rows; ++y)
    for (std::int64_t x = 0; x < profile.columns; ++x) {
      const double part = static_cast<double>(profile.view().row(y)[x] / *most);
      image.view().row(y)[x] = static_cast<std::uint16_t>(std::lround(std::clamp(part, 0.0, 1.0) * 65535));
      along_x[static_cast<std::size_t>(x)] += part / static_cast<double>(profile.rows);
      along_y[static_cast<std::size_t>(y)] += part / static_cast<double>(profile.columns);
    }
  ProfilePictures pictures;
  pictures.darkest = static_cast<double>(*least / *most);
  const auto black = static_cast<std::uint16_t>(std::clamp(pictures.darkest * 65535, 0.0, 65534.0));
  const Picture shown = whole(image);
  pictures.picture = {png_of(shown, {black, 65535}), static_cast<double>(shown.columns),
                      static_cast<double>(shown.rows)};
  pictures.along_x = thinned(along_x);
  pictures.along_y = thinned(along_y);
  pictures.caption =
      fmt::format("{}, {} × {} pixels; means along each axis, relative to the brightest pixel.",
                  request.stack.corrections.flat, profile.columns, profile.rows);
  return pictures;
}

}  // namespace spim::cli
