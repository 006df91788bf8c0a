#include "common/part_files.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "common/file.hpp"
#include "spim/error.hpp"

namespace spim::chunked {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = ".part-";

}  // namespace

void put_in_place(const fs::path& unfinished, const fs::path& place) {
  if (publish_new_file(unfinished, place)) return;
  // What stands there may be entered as done already: a power cut must not leave less of it.
  File::open(unfinished).sync();
  publish_file(unfinished, place);
}

UnfinishedFolder::UnfinishedFolder(fs::path path) : path_(std::move(path)) {
  create_folders(path_);
}

UnfinishedFolder::~UnfinishedFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

PartFiles::PartFiles(fs::path root, const PartName& part)
    : root_(std::move(root)), unfinished_(root_ / fmt::format("{}{}", kPrefix, part.token)) {}

fs::path PartFiles::unfinished() {
  return unfinished_.path() / fmt::format("{}", names_.fetch_add(1));
}

void PartFiles::put(const fs::path& unfinished, const std::string& path) {
  const fs::path place = root_ / path;
  std::error_code ignored;
  if (!fs::exists(place.parent_path(), ignored)) create_folders(place.parent_path());
  put_in_place(unfinished, place);
  const std::lock_guard lock(mutex_);
  stored_.push_back(path);
}

void PartFiles::store(const std::string& path, std::span<const std::byte> bytes) {
  const fs::path unfinished = this->unfinished();
  File file = File::create(unfinished);
  file.write(0, bytes);
  file.begin_sync();
  file.close();
  put(unfinished, path);
}

void PartFiles::finish(FileSink& files) {
  for (const std::string& path : stored_) files.file(path);
}

void remove_unfinished_parts(const fs::path& root) {
  std::error_code error;
  std::vector<fs::path> folders;
  for (fs::directory_iterator i(root, error), end; !error && i != end; i.increment(error))
    if (i->path().filename().string().starts_with(kPrefix)) folders.push_back(i->path());
  for (const fs::path& folder : folders)
    if (!error) fs::remove_all(folder, error);
  if (error)
    throw Error(
        fmt::format("{}: what is unfinished in it cannot be removed: {}", root.string(), error.message()));
}

void replace_text(const fs::path& path, std::string_view text) {
  const fs::path unfinished =
      path.parent_path() / fmt::format("{}text-{}", kPrefix, path.filename().string());
  std::error_code ignored;
  fs::remove(unfinished, ignored);
  write_text(unfinished, text);
  put_in_place(unfinished, path);
}

}  // namespace spim::chunked
