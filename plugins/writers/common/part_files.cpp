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

void rename_over(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::rename(from, to, failed);
  if (failed) throw Error(fmt::format("{} cannot be put in place: {}", to.string(), failed.message()));
}

}  // namespace

PartFiles::PartFiles(fs::path root, const PartName& part)
    : root_(std::move(root)), unfinished_(root_ / fmt::format("{}{}", kPrefix, part.token)) {
  create_folders(unfinished_);
}

void PartFiles::store(const std::string& path, std::span<const std::byte> bytes) {
  std::size_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = stored_.size();
    stored_.push_back(path);
  }
  const fs::path unfinished = unfinished_ / fmt::format("{}", number);
  File file = File::create(unfinished);
  file.write(0, bytes);
  file.close();
  const fs::path place = root_ / path;
  std::error_code ignored;
  if (!fs::exists(place.parent_path(), ignored)) create_folders(place.parent_path());
  rename_over(unfinished, place);
}

void PartFiles::finish(FileSink& files) {
  for (const std::string& path : stored_) files.file(path);
  std::error_code ignored;
  fs::remove_all(unfinished_, ignored);
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
  rename_over(unfinished, path);
}

}  // namespace spim::chunked
