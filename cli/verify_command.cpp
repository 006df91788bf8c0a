/// verify: decodes everything that is stored and names what is damaged.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "command.hpp"
#include "common_options.hpp"
#include "data_size.hpp"
#include "frame_gaps.hpp"
#include "manifest_check.hpp"
#include "plugin_choice.hpp"
#include "recognition.hpp"
#include "session.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/verify.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// What is done with damage.
enum class Remedy { none, repair };

/// Verifies the inputs of one call, one after the other.
class Verification {
 public:
  Verification(Session& session, const Selections& plugins, Remedy remedy)
      : session_(session), plugins_(plugins), remedy_(remedy) {}

  /// Prints one line for each damaged unit of `path`.
  void verify(const std::string& path) {
    path_ = path;
    total_ = {};
    is_decoded_ = true;
    files_ = damaged_files_ = 0;
    try {
      verify_files();
      // Checksums tell of every format, also of one whose writer has no reader beside it.
      if (files_ > 0 && !is_recognised(session_.registry(), path, plugins_))
        is_decoded_ = false;
      else if (recognise(session_.registry(), path, plugins_, Kind::volume_reader) == Kind::volume_reader)
        verify_volumes();
      else
        verify_stack();
    } catch (const Cancelled&) {
      throw;
    } catch (const UsageError&) {
      throw;
    } catch (const Error& error) {
      // What cannot be opened is damaged as a whole.
      const std::string text = error.what();
      report({"", text.starts_with(path_ + ": ") ? text.substr(path_.size() + 2) : text});
      ++total_.damaged;
    }
    all_damaged_ += total_.damaged + damaged_files_;
    if (session_.options().silent) return;
    std::vector<std::string> told;
    if (is_decoded_)
      told.push_back(fmt::format("{} {}, {} decoded", total_.units, units_, format_data(total_.bytes)));
    if (files_ > 0) told.push_back(fmt::format("{} files compared with their checksums", files_));
    if (!is_decoded_) told.emplace_back("nothing decoded since no plugin reads it");
    if (damaged_files_ > 0)
      told.push_back(fmt::format("{} file{} as {} written", damaged_files_,
                                 damaged_files_ == 1 ? " is not" : "s are not",
                                 damaged_files_ == 1 ? "it was" : "they were"));
    if (total_.damaged > 0 || (damaged_files_ > 0 && is_decoded_))
      told.push_back(fmt::format("{} damaged", total_.damaged));
    else if (damaged_files_ == 0)
      told.emplace_back("nothing is damaged");
    fmt::print("{}: {}\n", path_, fmt::join(told, ", "));
  }

  std::int64_t damaged() const noexcept { return all_damaged_; }

 private:
  void report(const Damage& damage) const {
    fmt::print("{}: {}{}{}\n", path_, damage.unit, damage.unit.empty() ? "" : ": ", damage.reason);
    std::fflush(stdout);  // a run of hours is watched
  }

  /// What `spimstitch run` made has checksums of all its files beside it.
  void verify_files() {
    // As the user wrote it, for messages; "." has no name of its own.
    const fs::path typed = (fs::path(path_) / "").parent_path(),
                   absolute = fs::absolute(typed).lexically_normal();
    std::error_code ignored;
    const fs::path output = fs::exists(manifest_path(typed), ignored) ? typed : absolute;
    if (!fs::exists(manifest_path(output), ignored)) {
      if (remedy_ == Remedy::repair)
        throw Error(
            fmt::format("{}: cannot be repaired: there is no {}, which says how it was made; make it "
                        "again",
                        path_, manifest_path(typed).string()));
      return;
    }
    const auto sink = [this](const std::string& file, const std::string& reason) { report({file, reason}); };
    ManifestCheck check = check_manifest(session_, output, sink);
    files_ = check.files;
    damaged_files_ = check.faults();
    if (remedy_ == Remedy::none) return;
    repair_volume(session_, output, check);
    damaged_files_ = check.extra;
  }

  void add(const VerifyReport& part) {
    total_.units += part.units;
    total_.damaged += part.damaged;
    total_.bytes += part.bytes;
  }

  VerifySettings settings() {
    return {&session_.executor(), &session_.progress(), session_.options().memory()};
  }

  void verify_volumes() {
    units_ = "chunks";
    Selection selection = plugins_.volume_reader;
    const auto first = open_volume(session_.registry(), session_.host(), selection, path_);
    check_configuration(*first);
    const std::int32_t channels = first->info().channels;
    if (channels == 1) return add(verify_volume(*first, settings(), [this](const Damage& d) { report(d); }));
    for (std::int32_t channel = 0; channel < channels; ++channel) {
      selection.options["channel"] = std::to_string(channel);
      const auto reader = open_volume(session_.registry(), session_.host(), selection, path_);
      add(verify_volume(*reader, settings(), [&](const Damage& d) {
        report({fmt::format("channel {}, {}", channel, d.unit), d.reason});
      }));
    }
  }

  void verify_stack() {
    units_ = "frames";
    const auto reader = open_frames(session_.registry(), session_.host(), plugins_.reader, path_);
    add(verify_frames(*reader, settings(), [this](const Damage& d) { report(d); }));
    if (total_.damaged > 0) return;
    for (const FrameGap& gap : frame_gaps(*reader))
      session_.warn(
          fmt::format("{}: the camera dropped {} frame{} before frame {}; the file is as it was written",
                      path_, gap.dropped, gap.dropped == 1 ? "" : "s", gap.frame));
  }

  /// What was asked for when the volume was made, if that stands beside it, must be there.
  void check_configuration(VolumeReader& reader) {
    const fs::path normal = fs::absolute(path_).lexically_normal();
    const fs::path file = configuration_path(normal.has_filename() ? normal : normal.parent_path());
    std::error_code ignored;
    if (!fs::exists(file, ignored)) return;
    Configuration made;
    try {
      made = load_configuration(file);
    } catch (const Error& error) {
      report({"configuration", error.what()});
      ++total_.damaged;
      return;
    }
    const auto levels = made.options.find("levels");
    if (levels == made.options.end() || levels->second == std::to_string(reader.info().levels)) return;
    report({"levels", fmt::format("{} says that the volume was written with {} levels, but {} can be read",
                                  file.string(), levels->second, reader.info().levels)});
    ++total_.damaged;
  }

  Session& session_;
  const Selections& plugins_;
  Remedy remedy_;
  std::string path_;
  std::int64_t files_ = 0, damaged_files_ = 0;
  bool is_decoded_ = true;  ///< false where no plugin reads the format
  std::string_view units_ = "units";
  VerifyReport total_;
  std::int64_t all_damaged_ = 0;
};

}  // namespace

int run_verify(const Invocation& call) {
  CommonOptions common;
  bool repair = false;
  std::vector<std::string> paths;
  PluginChoice plugins;
  CommandLine line(
      call.program, "PATH... [options]",
      "Reads and decodes everything of volumes, camera files and stacks of images: headers, "
      "sizes, every chunk of "
      "every level or every frame, and the checksums of formats that have them. Prints one line "
      "for each damaged "
      "unit; exit code 1 when there is any. The files of a volume with a PATH.run.json beside it "
      "are also compared with their checksums. Chunks that are absent are zero by the definition "
      "of formats and not "
      "damaged.");
  line.arguments({"PATH...", "", "volumes, camera files, folders or patterns of images"}, paths, {1, 4096});
  line.group("Repair");
  line.flag(
      {"repair", "",
       "make damaged files of volumes that `spimstitch run` made again, from the camera files they were "
       "made from"},
      repair);
  line.group("Input");
  plugins.add_reader(line);
  add_work_options(line, common);
  plugins.add_general(line);
  add_general_options(line, common);
  if (!line.parse(call.arguments)) return kDone;

  Session session(common, *call.cancel);
  plugins.resolve(session, {Kind::frame_reader, Kind::volume_reader});
  Verification verification(session, plugins.get(), repair ? Remedy::repair : Remedy::none);
  for (const std::string& path : paths) verification.verify(path);
  return verification.damaged() > 0 ? kFailed : kDone;
}

}  // namespace spim::cli
