#include "manifest_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "saved_run.hpp"
#include "spim/host/verify.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// What the sweep went on from is not of the volume.
bool is_of_volume(const LedgerEntry& task) {
  return task.task != "illumination" && task.task != "alignment";
}

/// Files that would be read as parts of the volume, or as garbage.
std::vector<std::string> extra_files(const fs::path& output, const std::vector<StoredFile>& known) {
  std::set<std::string> names;
  for (const StoredFile& file : known) names.insert(file.path);
  std::vector<std::string> extra = files_below(output);
  std::erase_if(extra, [&](const std::string& file) { return names.contains(file); });
  return extra;
}

/// Writers begin the names of such files, or of a folder around them, in this way.
bool is_half_written(const std::string& file) {
  return std::ranges::any_of(fs::path(file),
                             [](const fs::path& part) { return part.string().starts_with(".part-"); });
}

/// Where a configuration stands while it is read, unlike any other.
class SavedFile {
 public:
  SavedFile(const fs::path& output, const std::string& text)
      : path_(fmt::format("{}.{}.tmp", manifest_path(output).string(), unique_token())) {
    replace_text_durably(path_, text);
  }
  ~SavedFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  SavedFile(const SavedFile&) = delete;
  SavedFile& operator=(const SavedFile&) = delete;
  const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

}  // namespace

ManifestCheck check_manifest(Session& session, const fs::path& output, const FileFaultSink& sink) {
  ManifestCheck check;
  check.manifest = load_manifest(output);
  std::vector<StoredFile> files;
  std::vector<std::string> tasks;
  for (const LedgerEntry& task : check.manifest.tasks)
    if (is_of_volume(task))
      for (const StoredFile& file : task.files) {
        files.push_back(file);
        tasks.push_back(task.task);
      }
  check.files = static_cast<std::int64_t>(files.size());
  const VerifySettings settings{&session.executor(), &session.progress(), session.options().memory()};
  for (const FileDamage& damage : verify_files(output, files, settings)) {
    const std::string& file = files[damage.file].path;
    sink(file, fmt::format("{} (task {})", damage.reason, tasks[damage.file]));
    check.damaged.push_back(file);
  }
  for (const std::string& file : extra_files(output, files)) {
    if (is_half_written(file)) {
      sink(file, "is left of a repair that was interrupted; --repair removes it");
      check.left.push_back(file);
      continue;
    }
    sink(file, "is not of the run that made the volume; remove it if nobody needs it");
    ++check.extra;
  }
  return check;
}

void repair_volume(Session& session, const fs::path& output, const ManifestCheck& check) {
  const SavedFile saved(output, check.manifest.saved);
  ChannelRun(session, request_of_saved_run(session, saved.path(), output))
      .repair(check.manifest, {check.damaged, check.left});
}

}  // namespace spim::cli
