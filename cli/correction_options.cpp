#include "correction_options.hpp"

#include <fmt/format.h>

#include "spim/host/instances.hpp"
#include "spim/host/tiff_image.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

Magnification magnification_of(const CorrectionOptions& options) {
  Magnification result;
  result.factor = options.magnification;
  if (options.magnification_center.empty()) return result;
  constexpr const char* kName = "option --magnification-plane-center";
  const std::vector<std::string> parts = split(options.magnification_center, ',');
  if (parts.size() != 2)
    throw UsageError(fmt::format("{}: \"{}\" is not two numbers x,y", kName, options.magnification_center));
  try {
    result.center_x = parse_number(parts[0]);
    result.center_y = parse_number(parts[1]);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", kName, error.what()));
  }
  if (result.center_x < 0 || result.center_y < 0)
    throw UsageError(fmt::format("{}: {} lies outside the frame", kName, options.magnification_center));
  return result;
}

std::shared_ptr<const FlatField> read_flat(const std::string& path) {
  OwnedImage<float> image = read_tiff_float(path);
  return std::make_shared<FlatField>(std::move(image.samples), image.rows, image.columns, path);
}

/// "1,234,567".
std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto i = static_cast<std::int64_t>(text.size()) - 3; i > 0; i -= 3)
    text.insert(static_cast<std::size_t>(i), 1, ',');
  return text;
}

}  // namespace

void add_correction_options(CommandLine& line, CorrectionOptions& options, PluginChoice& plugins) {
  line.group("Corrections");
  line.text({"flat,f,illum-corr", "FILE",
             "TIFF image of the illumination, as oblique-illum-corr makes it: frames are divided by it over "
             "its maximum; none for no flat"},
            options.flat);
  line.number({"dark,d,background", "LEVEL", "grey level without light, subtracted from each pixel"},
              options.dark, {0, 65535});
  plugins.add_destripe(line);
  line.number({"magnification", "F", "enlarge frames so that they match those of another camera, at least 1"},
              options.magnification, {1, 100});
  line.text(
      {"magnification-plane-center", "X,Y",
       "column and row of the oriented frame around which enlarged frames are cut to their former size; "
       "without it the middle"},
      options.magnification_center);
}

Correctors::Correctors(Session& session, const Selections& plugins, const CorrectionOptions& options)
    : session_(&session), destripe_(plugins.destripe) {
  what_.magnification = magnification_of(options);
  what_.dark = static_cast<float>(options.dark);
  if (options.has_flat()) what_.flat = read_flat(options.flat);
  if (!destripe_.id.empty()) what_.destriper = new_destriper();
}

std::shared_ptr<Destriper> Correctors::new_destriper() const {
  return create_destriper(session_->registry(), session_->host(), destripe_);
}

std::shared_ptr<FrameCorrector> Correctors::for_shape(std::int64_t rows, std::int64_t columns) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<FrameCorrector>& corrector = correctors_[{rows, columns}];
  if (corrector) return corrector;
  FrameCorrections what = what_;
  // An instance of a destriper sees frames of one shape only.
  if (what.destriper && correctors_.size() > 1) what.destriper = new_destriper();
  return corrector = std::make_shared<FrameCorrector>(std::move(what), rows, columns);
}

void Correctors::report() const {
  const ClippedSamples clipped = tally_->clipped();
  if (clipped.above > 0)
    session_->warn(fmt::format("{} of {} corrected pixels were above 65535 and became 65535",
                               grouped(clipped.above), grouped(tally_->samples())));
  if (clipped.below > 0 && !session_->options().silent)
    fmt::print("  {} of {} corrected pixels were below 0 and became 0\n", grouped(clipped.below),
               grouped(tally_->samples()));
}

}  // namespace spim::cli
