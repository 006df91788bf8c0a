#include "spim/host/publication.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <set>
#include <string>
#include <system_error>

#include "durable.hpp"
#include "spim/error.hpp"

namespace spim {

namespace fs = std::filesystem;
using detail::system_failure;

namespace {

/// `.NAME.partial-HOST-PID-TIME`, NAME shortened where the whole would be longer than a name may be.
std::string temporary_name(const std::string& name) {
  const std::string tail = fmt::format(".partial-{}", detail::process_token());
  return fmt::format(".{}{}", name.substr(0, NAME_MAX - 1 - tail.size()), tail);
}

/// Absolute, with links resolved as far as the path exists, without a trailing slash.
fs::path resolved(const fs::path& target) {
  if (target.empty()) throw UsageError("the output has no name; say where to write");
  std::error_code error;
  fs::path path = fs::weakly_canonical(fs::absolute(target), error);
  if (error) throw system_failure(target, "cannot be used as an output", error.value());
  if (!path.has_filename()) path = path.parent_path();
  return path;
}

bool is_empty_folder(const fs::path& path) {
  std::error_code error;
  const bool empty = fs::is_directory(fs::symlink_status(path, error)) && fs::is_empty(path, error);
  return empty && !error;
}

/// True when `path` is `folder` or lies below it. Both are absolute.
bool holds(const fs::path& folder, const fs::path& path) {
  const auto [end, ignored] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

bool holds_current_folder(const fs::path& folder) {
  std::error_code error;
  const fs::path current = fs::current_path(error);
  return !error && holds(folder, current);
}

/// False for folders that somebody would miss: those without a sign that a program like this one made them.
bool looks_like_an_output(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error) || is_empty_folder(path)) return true;
  for (const char* sign : {"info", ".zattrs", ".zgroup", "zarr.json", "truth/truth.json"})
    if (fs::exists(path / sign, error)) return true;
  return fs::exists(path.string() + ".config.json", error);
}

bool not_supported(int code) {
  return code == EINVAL || code == ENOSYS || code == ENOTSUP;
}

/// Renames, never over something that exists. Returns an errno, 0 for success.
int rename_to_new(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (!not_supported(errno)) return errno;
  struct stat ignored {};
  if (::lstat(to.c_str(), &ignored) == 0) return EEXIST;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

/// Exchanges two names, in one step where the file system can. Returns an errno, 0 for success.
int exchange(const fs::path& a, const fs::path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return 0;
  if (!not_supported(errno)) return errno;
  const fs::path aside = b.parent_path() / temporary_name(b.filename().string());
  if (::rename(b.c_str(), aside.c_str()) != 0) return errno;
  if (::rename(a.c_str(), b.c_str()) != 0) {
    const int code = errno;
    ::rename(aside.c_str(), b.c_str());
    return code;
  }
  return ::rename(aside.c_str(), a.c_str()) == 0 ? 0 : errno;
}

}  // namespace

Publication::Publication(fs::path target, bool overwrite, std::span<const fs::path> inputs)
    : shown_(std::move(target)), target_(resolved(shown_)), overwrite_(overwrite) {
  refuse_target(inputs);
  const fs::path name = target_.filename();
  temporary_ = target_.parent_path() / temporary_name(name.string());
  create_parents();
  try {
    probe_folder();
  } catch (...) {
    for (auto it = created_parents_.rbegin(); it != created_parents_.rend(); ++it) ::rmdir(it->c_str());
    throw;
  }
}

Publication::Publication(fs::path target, bool overwrite, std::span<const fs::path> inputs, fs::path place)
    : shown_(std::move(target)),
      target_(resolved(shown_)),
      temporary_(std::move(place)),
      overwrite_(overwrite),
      keeps_(true) {
  refuse_target(inputs);
}

Publication::~Publication() {
  if (committed_ || keeps_) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
  for (auto it = created_parents_.rbegin(); it != created_parents_.rend(); ++it) ::rmdir(it->c_str());
}

void Publication::refuse_target(std::span<const fs::path> inputs) const {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(target_, error);
  if (!fs::exists(status)) return;
  if (!fs::is_regular_file(status) && !fs::is_directory(status))
    throw Error(fmt::format("{} is neither a file nor a folder and cannot be replaced; choose another output",
                            shown_.string()));
  if (holds_current_folder(target_))
    throw Error(fmt::format("{} is or holds the current folder and cannot be replaced; choose another output",
                            shown_.string()));
  for (const fs::path& input : inputs)
    if (holds(target_, resolved(input)))
      throw Error(fmt::format("{} is or holds the input {} and cannot be replaced; choose another output",
                              shown_.string(), input.string()));
  if (!overwrite_ && !is_empty_folder(target_))
    throw Error(fmt::format("{} exists already; choose another output or give --overwrite", shown_.string()));
  if (!looks_like_an_output(target_))
    throw Error(fmt::format(
        "{} is a folder that does not look like an earlier output, so --overwrite does not remove it; choose "
        "another output or remove it yourself",
        shown_.string()));
}

void Publication::create_parents() {
  std::vector<fs::path> missing;
  std::error_code error;
  for (fs::path folder = target_.parent_path(); !fs::exists(fs::status(folder, error));
       folder = folder.parent_path()) {
    if (folder == folder.parent_path()) break;
    missing.push_back(folder);
  }
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    if (::mkdir(it->c_str(), 0777) == 0) {
      created_parents_.push_back(*it);
    } else if (errno != EEXIST) {  // another run may have made it just now
      const int code = errno;
      for (auto made = created_parents_.rbegin(); made != created_parents_.rend(); ++made)
        ::rmdir(made->c_str());
      throw system_failure(*it, "cannot be created", code);
    }
  }
}

void Publication::probe_folder() const {
  // Tried, not asked: access() says nothing of full disks, quotas and what root may do.
  if (::mkdir(temporary_.c_str(), 0700) != 0)
    throw system_failure(target_.parent_path(), "cannot take the output", errno);
  ::rmdir(temporary_.c_str());
}

void Publication::remove_abandoned(const fs::path& target) noexcept {
  detail::remove_abandoned(target);
}

void Publication::commit() {
  Publication* const self = this;
  commit_all({&self, 1});
}

void Publication::commit_all(std::span<Publication* const> publications) {
  std::size_t named = 0;
  std::exception_ptr failure;
  try {
    for (; named < publications.size(); ++named) {
      detail::make_durable(publications[named]->temporary_);
      publications[named]->give_final_name();
    }
  } catch (...) {
    failure = std::current_exception();
  }
  const auto done = publications.first(named);
  std::set<fs::path> folders;
  for (const Publication* publication : done) {
    folders.insert(publication->target_.parent_path());
    folders.insert(publication->temporary_.parent_path());
    for (const fs::path& created : publication->created_parents_) folders.insert(created.parent_path());
  }
  try {
    for (const fs::path& folder : folders) detail::sync_folder(folder);
  } catch (...) {
    for (Publication* publication : done) publication->take_final_name_back();
    throw;
  }
  for (Publication* publication : done) publication->settle();
  if (failure) std::rethrow_exception(failure);
}

void Publication::give_final_name() {
  const bool is_folder = fs::is_directory(fs::symlink_status(temporary_));
  int code = rename_to_new(temporary_, target_);
  if (code == EEXIST && overwrite_) {
    code = exchange(temporary_, target_);
    exchanged_ = code == 0;
  } else if (code == EEXIST && is_folder) {
    code =
        ::rename(temporary_.c_str(), target_.c_str()) == 0 ? 0 : errno;  // succeeds on an empty folder only
  } else if (code == EEXIST && ::rmdir(target_.c_str()) == 0) {
    code = rename_to_new(temporary_, target_);
  }
  if (code == EEXIST || code == ENOTEMPTY || code == ENOTDIR)
    throw Error(fmt::format(
        "{} was created by somebody else in the meantime; choose another output or give --overwrite",
        shown_.string()));
  if (code != 0) throw system_failure(shown_, "cannot be given its final name", code);
}

void Publication::take_final_name_back() noexcept {
  if (exchanged_)
    exchange(temporary_, target_);
  else
    ::rename(target_.c_str(), temporary_.c_str());
  exchanged_ = false;
}

void Publication::settle() noexcept {
  std::error_code error;
  if (exchanged_) fs::remove_all(temporary_, error);
  if (error) left_behind_ = temporary_;
  committed_ = true;
}

}  // namespace spim
