/// destripe: corrects images, one by one.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "before_after.hpp"
#include "command.hpp"
#include "correction_options.hpp"
#include "image_input.hpp"
#include "output_options.hpp"
#include "sigma_choice.hpp"
#include "spim/host/publication.hpp"
#include "tiff_outputs.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

struct Request {
  std::string input, output, preview;
  std::int64_t compression = 1;
  bool lightsheet = false;
  bool automatic = false;
  CommonOptions common;
  StackOptions stack;
  PluginChoice plugins;
};

void declare(CommandLine& line, Request& request) {
  line.group("Input and output");
  line.text({"input,i", "PATH", "TIFF file, folder of TIFF files (with its folders) or camera file"},
            request.input);
  line.text(
      {"output,o", "PATH",
       "file for a file, else folder for files of the same names (frames of a camera file: their numbers); "
       "without it the input's name with _destriped"},
      request.output);
  line.integer({"compression,c", "LEVEL", "deflate level of the TIFF files, 0 (none) to 9"},
               request.compression, {0, 9});
  line.text(
      {"preview", "FILE",
       "PNG picture of the image, or the middle one of several: before, after and the difference; alone it "
       "is all that is written, with --output the images are as well"},
      request.preview);
  add_overwrite_option(line, request.common);
  request.plugins.add_reader(line);
  add_stack_options(line, request.stack);
  add_range_options(line, request.stack);
  add_correction_options(line, request.stack.corrections, request.plugins);
  line.flag({"lightsheet", "", "the same as --destripe lightsheet"}, request.lightsheet);
  line.flag(
      {"auto", "",
       "choose sigma1 and sigma2 of the wavelet method from the spectrum of the stripes of the image, or the "
       "middle one of several, and say what was chosen"},
      request.automatic);
  add_work_options(line, request.common);
  request.plugins.add_general(line);
  add_general_options(line, request.common);
  line.refused("chunks", "has no meaning here: images are not corrected in batches");
  line.refused("zstep,z", "is not available: the frames of a camera file are named by their numbers");
}

void understand(Request& request) {
  if (request.input.empty())
    throw UsageError("--input is missing; say which TIFF file, folder or camera file to correct");
  if (request.lightsheet) request.plugins.want_destripe("lightsheet", "--lightsheet");
  if (request.automatic) {
    request.plugins.want_destripe("wavelet", "--auto");
    for (const char* name : {"sigma1", "sigma2"})
      if (request.plugins.destripe_option_given(name))
        throw UsageError(fmt::format("--auto chooses {0}; leave out --{0} or --auto", name));
  }
}

/// One call of the command.
class Run {
 public:
  Run(Session& session, const Request& request, Selections plugins)
      : session_(session),
        request_(request),
        plugins_(std::move(plugins)),
        plain_(session, without_destriper(plugins_), without_corrections(request.stack)),
        images_(open_images(request.input, plain_, request.stack)) {}

  void choose_sigma() {
    const std::int64_t middle = images_->count() / 2;
    choose_sigma_for(session_, images_->load(middle), images_->name(middle), request_.stack.corrections,
                     plugins_);
  }

  /// Before any work.
  void refuse_outputs() const {
    if (request_.preview.empty() || !writes_images()) return;
    const fs::path preview = fs::weakly_canonical(fs::absolute(request_.preview));
    for (std::int64_t i = 0; i < images_->count(); ++i)
      if (fs::weakly_canonical(fs::absolute(images_->output(i, request_.output))) == preview)
        throw UsageError("--output and --preview are the same file; give two names");
  }

  bool writes_images() const { return request_.preview.empty() || !request_.output.empty(); }

  void write_preview() {
    const std::int64_t middle = images_->count() / 2;
    Publication publication(request_.preview, request_.common.overwrite, inputs());
    const OwnedImage<std::uint16_t> before = images_->load(middle);
    OwnedImage<std::uint16_t> after = before;
    (void)correct(middle, after);
    const BeforeAfterScale scale = write_before_after(publication.path(), before, after);
    publication.commit();
    if (request_.common.silent) return;
    fmt::print("{}: {}, before, after and difference; black to white is {} to {}, and -{} to +{}\n",
               request_.preview, images_->name(middle), scale.images.black, scale.images.white, scale.change,
               scale.change);
  }

  void write_images() {
    const fs::path target = request_.output.empty() ? images_->default_output() : fs::path(request_.output);
    refuse_own_folder(target);
    const auto name = [&](std::int64_t i) { return images_->output(i, target).string(); };
    const TiffOutputs outputs(static_cast<int>(request_.compression), request_.common.overwrite);
    outputs.check(images_->count(), name, inputs());
    std::int64_t bytes = 0;
    for (std::int64_t i = 0; i < images_->count(); ++i) bytes += bytes_of_image(i);
    session_.progress().begin("correcting images", bytes);
    executor().parallel_for(images_->count(), [&](std::int64_t i, int) {
      OwnedImage<std::uint16_t> image = images_->load(i);
      corrections_->tally()->add(correct(i, image), image.rows * image.columns);
      outputs.write(name(i), std::as_const(image).view());
      session_.progress().advance(bytes_of_image(i));
    });
    session_.progress().end();
    if (!request_.common.silent)
      fmt::print("{}: {} image{}\n", target.string(), images_->count(), images_->count() == 1 ? "" : "s");
  }

  void create_corrections() { corrections_.emplace(session_, plugins_, request_.stack.corrections); }
  const Correctors& corrections() const { return *corrections_; }
  const Selections& plugins() const { return plugins_; }

 private:
  static Selections without_destriper(Selections plugins) {
    plugins.destripe = {};
    return plugins;
  }
  static StackOptions without_corrections(StackOptions options) {
    options.corrections = {};
    return options;
  }

  std::vector<fs::path> inputs() const {
    std::vector<fs::path> files = images_->files();
    for (fs::path& file : request_.stack.corrections.inputs()) files.push_back(std::move(file));
    return files;
  }

  std::int64_t bytes_of_image(std::int64_t i) const {
    const ImageShape shape = images_->shape(i);
    return shape.rows * shape.columns * 2;
  }

  /// As many workers as the memory has room for.
  Executor executor() {
    std::int64_t most = 0;
    for (std::int64_t i = 0; i < images_->count(); ++i) {
      const ImageShape shape = images_->shape(i);
      most = std::max(
          most, 3 * bytes_of_image(i) + corrections_->for_shape(shape.rows, shape.columns)->worker_bytes());
    }
    const std::int64_t fit = request_.common.memory() / most;
    if (fit < 1)
      throw Error(fmt::format("{}: an image needs {} of memory but may have {}; give more --memory",
                              request_.input, format_bytes(most), format_bytes(request_.common.memory())));
    const int workers = session_.executor().workers();
    if (fit < workers)
      session_.warn(
          fmt::format("{} of memory have room for {} images at once, so that {} of {} workers are used",
                      format_bytes(request_.common.memory()), fit, fit, workers));
    return Executor(static_cast<int>(std::min<std::int64_t>(fit, workers)), session_.executor().cancel());
  }

  ClippedSamples correct(std::int64_t i, OwnedImage<std::uint16_t>& image) {
    try {
      return corrections_->for_shape(image.rows, image.columns)->apply(image.view());
    } catch (const UsageError&) {
      throw;
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {
      throw Error(fmt::format("{}: {}", images_->name(i), error.what()));
    }
  }

  /// Results among the images would be images of the next run.
  void refuse_own_folder(const fs::path& target) const {
    const fs::path input = fs::weakly_canonical(fs::absolute(request_.input)),
                   output = fs::weakly_canonical(fs::absolute(target));
    const auto [end, ignored] = std::mismatch(input.begin(), input.end(), output.begin(), output.end());
    if (fs::is_directory(input) && end == input.end())
      throw Error(
          fmt::format("{}: lies in the input {}; choose another output", target.string(), request_.input));
    if (!fs::is_directory(input) && fs::exists(output) && fs::equivalent(input, output))
      throw Error(fmt::format("{}: is the input; choose another output", target.string()));
  }

  Session& session_;
  const Request& request_;
  Selections plugins_;
  StackOpener plain_;
  std::unique_ptr<ImageInput> images_;
  std::optional<Correctors> corrections_;
};

}  // namespace

int run_destripe(const Invocation& call) {
  Request request;
  CommandLine line(
      call.program, "--input PATH [--output PATH] --destripe METHOD [options]",
      "Corrects images: subtracts the dark level, removes stripes and divides by the illumination, each "
      "once, as the other commands do with frames. Writes uint16 TIFF files, each whole or not at all.");
  declare(line, request);
  if (!line.parse(call.arguments)) return kDone;
  understand(request);
  Session session(request.common, *call.cancel);
  request.plugins.resolve(session, {Kind::frame_reader, Kind::destriper});
  Run run(session, request, request.plugins.get());
  if (request.automatic) run.choose_sigma();
  run.create_corrections();
  if (run.corrections().none())
    throw UsageError(
        "there is nothing to correct; choose a method with --destripe, or give --flat or --dark");
  run.refuse_outputs();
  if (!request.preview.empty()) run.write_preview();
  if (run.writes_images()) {
    run.write_images();
    run.corrections().report();
  }
  return kDone;
}

}  // namespace spim::cli
