#include "spim/host/run_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "durable.hpp"
#include "input_bytes.hpp"
#include "spim/error.hpp"

namespace spim {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr char kLedger[] = "ledger";
constexpr char kLock[] = "lock";

/// Nothing when it is damaged.
std::optional<LedgerEntry> parse_entry(const std::string& text) try {
  const ordered_json document = ordered_json::parse(text);
  LedgerEntry entry;
  entry.task = document.at("task").get<std::string>();
  entry.seconds = document.at("seconds").get<double>();
  entry.by = document.at("by").get<std::string>();
  entry.notes = document.at("notes").get<std::map<std::string, std::string>>();
  for (const ordered_json& row : document.at("files"))
    entry.files.push_back(
        {row.at(0).get<std::string>(), {row.at(1).get<std::int64_t>(), row.at(2).get<std::uint32_t>()}});
  return entry;
} catch (const ordered_json::exception&) {
  return std::nullopt;
}

std::string entry_text(const LedgerEntry& entry) {
  ordered_json document{{"task", entry.task}, {"seconds", entry.seconds}, {"by", entry.by}};
  document["notes"] = entry.notes;
  ordered_json& files = document["files"] = ordered_json::array();
  for (const StoredFile& file : entry.files) files.push_back({file.path, file.sum.bytes, file.sum.crc});
  return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

/// Throws where it cannot be told.
bool is_there(const fs::path& path) {
  std::error_code error;
  const bool there = fs::exists(path, error);
  if (error) throw detail::system_failure(path, "cannot be examined", error.value());
  return there;
}

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) throw detail::system_failure(path, "cannot be removed", error.value());
}

void remove_all_but_lock(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error))
    if (i->path().filename() != kLock) remove_tree(i->path());
}

/// True when somebody else has put something there: the ledger is the first and the lock the last of a run.
bool is_foreign(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder, error) && !fs::is_empty(folder, error) && !fs::exists(folder / kLedger, error) &&
         !fs::exists(folder / kLock, error);
}

}  // namespace

std::int64_t LedgerEntry::bytes() const noexcept {
  return std::accumulate(files.begin(), files.end(), std::int64_t{0},
                         [](std::int64_t sum, const StoredFile& file) { return sum + file.sum.bytes; });
}

void replace_text_durably(const fs::path& file, std::string_view text) {
  detail::replace_file(file, text);
  detail::sync_folder(fs::absolute(file).parent_path());
}

std::string unique_token() {
  static std::atomic<std::int64_t> number{0};
  return fmt::format("{}-{}", detail::process_token(), number.fetch_add(1));
}

RunFolder::RunFolder(const fs::path& target) {
  std::error_code error;
  fs::path output = fs::weakly_canonical(fs::absolute(target), error);
  if (error) throw detail::system_failure(target, "cannot be used as an output", error.value());
  if (!output.has_filename()) output = output.parent_path();
  path_ = output.string() + ".run";
}

bool RunFolder::exists() const {
  return is_there(path_ / "plan.json");
}

bool RunFolder::is_remnant() const {
  std::error_code error;
  return fs::is_directory(path_ / kLedger, error) && !exists();
}

void RunFolder::create() const {
  if (is_foreign(path_))
    throw Error(
        fmt::format("{}: is not of a run, but a run would keep its state there and remove it; choose "
                    "another output, or move it away",
                    path_.string()));
  detail::create_folders_durably(path_ / kLedger);
}

void RunFolder::clear() const {
  remove_all_but_lock(path_);
  create();
}

void RunFolder::remove_unfinished() const {
  std::error_code error;
  std::vector<fs::path> left;
  for (fs::directory_iterator i(content(), error), end; !error && i != end; i.increment(error))
    if (i->path().filename().string().starts_with(".part-")) left.push_back(i->path());
  for (const fs::path& path : left) remove_tree(path);
}

void RunFolder::remove() const {
  remove_all_but_lock(path_);
  remove_tree(path_);
  detail::sync_folder(path_.parent_path());
}

void RunFolder::drop(std::string_view name) const {
  std::error_code error;
  fs::remove(path_ / name, error);
  if (error) throw detail::system_failure(path_ / name, "cannot be removed", error.value());
  detail::sync_folder(path_);
}

std::optional<std::string> RunFolder::document(std::string_view name) const {
  return detail::text_if_exists(path_ / name);
}

std::string RunFolder::settle(std::string_view name, std::string_view text) const {
  detail::write_new_file(path_ / name, text);
  return document(name).value_or("");
}

fs::path RunFolder::ledger(std::string_view task) const {
  return path_ / kLedger / fmt::format("{}.json", task);
}

bool RunFolder::done(std::string_view task) const {
  return is_there(ledger(task));
}

std::optional<LedgerEntry> RunFolder::entry(std::string_view task) const {
  const auto text = document((fs::path(kLedger) / fmt::format("{}.json", task)).string());
  if (!text) return std::nullopt;
  auto entry = parse_entry(*text);
  if (entry && entry->task != task) return std::nullopt;
  return entry;
}

void RunFolder::record(const LedgerEntry& entry) const {
  detail::replace_file(ledger(entry.task), entry_text(entry));
  detail::sync_folder(path_ / kLedger);
}

void RunFolder::forget(std::string_view task) const {
  std::error_code error;
  fs::remove(ledger(task), error);
  if (error) throw detail::system_failure(ledger(task), "cannot be removed", error.value());
  detail::sync_folder(path_ / kLedger);
}

std::vector<std::string> RunFolder::done_tasks() const {
  std::vector<std::string> tasks;
  std::error_code error;
  for (fs::directory_iterator i(path_ / kLedger, error), end; !error && i != end; i.increment(error))
    if (i->path().extension() == ".json") tasks.push_back(i->path().stem().string());
  // Whoever took an unreadable ledger for an empty one would begin again.
  if (error && error != std::errc::no_such_file_or_directory)
    throw detail::system_failure(path_ / kLedger, "cannot be listed", error.value());
  std::sort(tasks.begin(), tasks.end());
  return tasks;
}

std::string RunFolder::missing_file(const LedgerEntry& entry) const {
  for (const StoredFile& file : entry.files) {
    std::error_code error;
    const auto bytes = fs::file_size(content() / file.path, error);
    if (error || static_cast<std::int64_t>(bytes) != file.sum.bytes) return file.path;
  }
  return "";
}

std::string RunFolder::damaged_file(const LedgerEntry& entry, const Executor& executor) const {
  if (std::string missing = missing_file(entry); !missing.empty()) return missing;
  std::mutex mutex;
  std::string damaged;
  executor.parallel_for(static_cast<std::int64_t>(entry.files.size()), [&](std::int64_t i, int) {
    const StoredFile& file = entry.files[static_cast<std::size_t>(i)];
    bool same = false;
    try {
      same = file_sum(content() / file.path) == file.sum;
    } catch (const Error&) {
      // What cannot be read is done again.
    }
    if (same) return;
    const std::lock_guard lock(mutex);
    damaged = file.path;
  });
  return damaged;
}

fs::path stored_place(const fs::path& root, const std::string& path) {
  return path.empty() ? root : root / path;
}

std::vector<std::string> files_below(const fs::path& root) {
  std::vector<std::string> files;
  std::error_code error;
  if (!fs::is_directory(root, error)) return {""};
  for (fs::recursive_directory_iterator i(root, error), end; !error && i != end; i.increment(error))
    if (i->is_regular_file()) files.push_back(i->path().lexically_relative(root).string());
  if (error) throw detail::system_failure(root, "cannot be listed", error.value());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<StoredFile> secure_files(const fs::path& root, std::vector<std::string> files) {
  std::sort(files.begin(), files.end());
  detail::make_files_durable(root, files);
  std::vector<StoredFile> stored;
  for (std::string& file : files) {
    const FileSum sum = file_sum(stored_place(root, file));
    stored.push_back({std::move(file), sum});
  }
  return stored;
}

}  // namespace spim
