#include "manifest_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "saved_run.hpp"
#include "spim/host/publication.hpp"
#include "spim/host/run_folder.hpp"
#include "spim/host/verify.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// What the sweep went on from is not of the volume.
bool is_of_volume(const LedgerEntry& task) {
  return task.task != "illumination" && task.task != "alignment";
}

/// Writers begin the names of files that are not finished, and of folders of such files, in this way.
bool is_half_written(const fs::path& name) {
  return name.string().starts_with(".part-");
}

/// Files that would be read as parts of the volume, or as garbage.
std::vector<std::string> extra_files(const fs::path& output, const std::vector<StoredFile>& known) {
  std::set<std::string> names;
  for (const StoredFile& file : known) names.insert(file.path);
  std::vector<std::string> extra = files_below(output);
  std::erase_if(extra, [&](const std::string& file) {
    return names.contains(file) || std::ranges::any_of(fs::path(file), is_half_written);
  });
  return extra;
}

/// What is half written beside stored files, of all that the run made.
std::vector<std::string> half_written(const fs::path& output, const std::vector<StoredFile>& known) {
  std::set<std::string> folders;
  for (const StoredFile& file : known) {
    const fs::path folder = fs::path(file.path).parent_path();
    // A single file or planes may stand among files of others, where nothing of ours is unfinished.
    if (!file.path.empty() && folder.filename() != "..") folders.insert(folder.string());
  }
  std::vector<std::string> found;
  for (const std::string& folder : folders) {
    std::error_code error;  // a folder that is missing has nothing in it
    for (fs::directory_iterator i(stored_place(output, folder), error), end; !error && i != end;
         i.increment(error))
      if (const fs::path name = i->path().filename(); is_half_written(name))
        found.push_back((folder / name).string());
  }
  return found;
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
  check.left = half_written(output, files);
  for (const std::string& file : check.left)
    sink(file, "is left of a repair that was interrupted; --repair removes it");
  for (const std::string& file : extra_files(output, files)) {
    sink(file, "is not of the run that made the volume; remove it if nobody needs it");
    ++check.extra;
  }
  return check;
}

void repair_volume(Session& session, const fs::path& output, const ManifestCheck& check) {
  Publication::remove_abandoned(manifest_path(output));
  if (check.damaged.empty() && check.left.empty() && !RunFolder(output).is_remnant()) return;
  const SavedFile saved(output, check.manifest.saved);
  ChannelRun(session, request_of_saved_run(session, saved.path(), output))
      .repair(check.manifest, {check.damaged, check.left});
}

}  // namespace spim::cli
