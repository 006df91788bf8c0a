#include "common/file_list.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "spim/error.hpp"

namespace spim::reading {

namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// The part of `text` from `at` on that is all digits, or all no digits.
std::string_view token_at(std::string_view text, std::size_t at) noexcept {
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end]) == is_digit(text[at])) ++end;
  return text.substr(at, end - at);
}

std::string_view without_zeros(std::string_view digits) noexcept {
  const std::size_t first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? std::string_view() : digits.substr(first);
}

/// < 0, 0 or > 0. Numbers of any length.
int compare_numbers(std::string_view a, std::string_view b) noexcept {
  a = without_zeros(a);
  b = without_zeros(b);
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

enum class PathKind { none, file, folder };

PathKind kind_of(const std::string& path) noexcept {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return PathKind::none;
  return S_ISDIR(status.st_mode) ? PathKind::folder : PathKind::file;
}

[[noreturn]] void fail(std::string_view path, const char* what, int code) {
  throw Error(fmt::format("{} {}: {}; check the path and its permissions", path, what, std::strerror(code)));
}

void sort_naturally(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return natural_less(a, b); });
}

std::vector<std::string> files_in(const std::string& folder, const Endings& endings) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(folder.c_str()), ::closedir);
  if (!stream) fail(folder, "cannot be listed", errno);
  const std::string prefix = folder.ends_with('/') ? folder : folder + '/';
  std::vector<std::string> files;
  // Looking at a link that leads nowhere sets errno as well.
  for (const dirent* entry = nullptr; errno = 0, (entry = ::readdir(stream.get())) != nullptr;) {
    const std::string_view name = entry->d_name;
    if (name.starts_with('.') || !has_ending(name, endings)) continue;
    std::string path = prefix + entry->d_name;
    if (entry->d_type == DT_REG || kind_of(path) == PathKind::file) files.push_back(std::move(path));
  }
  if (errno != 0) fail(folder, "cannot be listed", errno);
  sort_naturally(files);
  return files;
}

std::vector<std::string> files_matching(const std::string& expression) {
  glob_t found{};
  const int result = ::glob(expression.c_str(), GLOB_NOSORT | GLOB_ERR, nullptr, &found);
  const std::unique_ptr<glob_t, void (*)(glob_t*)> keeper(&found, ::globfree);
  if (result == GLOB_NOSPACE) throw std::bad_alloc();
  if (result == GLOB_ABORTED) fail(expression, "cannot be looked for", errno);
  std::vector<std::string> files;
  for (std::size_t i = 0; i < found.gl_pathc; ++i)
    if (kind_of(found.gl_pathv[i]) == PathKind::file) files.emplace_back(found.gl_pathv[i]);
  sort_naturally(files);
  return files;
}

/// The number in `name` that follows the first `prefix` characters and stands before the last `suffix`.
std::optional<std::int64_t> number_between(std::string_view name, std::size_t prefix, std::size_t suffix) {
  constexpr std::size_t kMostDigits = 18;
  if (name.size() < prefix + suffix) return std::nullopt;
  const std::string_view digits = name.substr(prefix, name.size() - prefix - suffix);
  if (digits.empty() || digits.size() > kMostDigits || !std::all_of(digits.begin(), digits.end(), is_digit))
    return std::nullopt;
  std::int64_t number = 0;
  for (const char c : digits) number = number * 10 + (c - '0');
  return number;
}

/// The numbers of `files` when that is all they differ in; empty otherwise.
std::vector<std::int64_t> numbers_of(const std::vector<std::string>& files) {
  std::size_t prefix = files.front().size(), suffix = prefix;
  for (const std::string& file : files) {
    const auto front = std::mismatch(file.begin(), file.end(), files.front().begin(), files.front().end());
    prefix = std::min(prefix, static_cast<std::size_t>(front.first - file.begin()));
    const auto back = std::mismatch(file.rbegin(), file.rend(), files.front().rbegin(), files.front().rend());
    suffix = std::min(suffix, static_cast<std::size_t>(back.first - file.rbegin()));
  }
  // Digits that all have in common belong to the number: img_10 … img_19.
  while (prefix > 0 && is_digit(files.front()[prefix - 1])) --prefix;
  while (suffix > 0 && is_digit(files.front()[files.front().size() - suffix])) --suffix;
  std::vector<std::int64_t> numbers;
  for (const std::string& file : files) {
    const auto number = number_between(file, prefix, suffix);
    if (!number) return {};
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

bool has_ending(std::string_view name, const Endings& endings) noexcept {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) {
    return name.size() > ending.size() && std::equal(name.end() - static_cast<std::ptrdiff_t>(ending.size()),
                                                     name.end(), ending.begin(), same);
  });
}

bool natural_less(std::string_view a, std::string_view b) noexcept {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    const std::string_view x = token_at(a, i), y = token_at(b, j);
    const int order = is_digit(x[0]) && is_digit(y[0]) ? compare_numbers(x, y) : x.compare(y);
    if (order != 0) return order < 0;
    i += x.size();
    j += y.size();
  }
  if (i < a.size() || j < b.size()) return j < b.size();
  return a < b;  // the same but for zeros in front of numbers
}

bool is_glob(std::string_view path) noexcept {
  return path.find_first_of("*?[") != std::string_view::npos;
}

std::vector<std::string> list_files(std::string_view path, const Endings& endings) {
  const std::string name(path);
  const PathKind kind = kind_of(name);
  if (kind == PathKind::file) return {name};
  std::vector<std::string> files;
  if (kind == PathKind::folder) {
    files = files_in(name, endings);
    if (files.empty())
      throw Error(fmt::format("{} holds no files that end in {}; give the folder of the frames", path,
                              fmt::join(endings, " or ")));
  } else if (is_glob(path)) {
    files = files_matching(name);
    if (files.empty())
      throw Error(fmt::format("{} matches no file; check the folder and the expression", path));
  } else {
    fail(path, "cannot be opened", ENOENT);
  }
  return files;
}

void check_numbering(const std::vector<std::string>& files) {
  if (files.size() < 2) return;
  const std::vector<std::int64_t> numbers = numbers_of(files);
  if (numbers.empty()) return;
  std::int64_t step = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 1; i < numbers.size(); ++i) step = std::min(step, numbers[i] - numbers[i - 1]);
  if (step == 0) step = 1;
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    const std::int64_t apart = numbers[i] - numbers[i - 1];
    if (apart == step) continue;
    if (apart == 0)
      throw Error(fmt::format("{} and {} have the same number; remove one of them", files[i - 1], files[i]));
    throw Error(fmt::format(
        "{} frame{} missing between {} and {}; complete the stack, or name the files "
        "that belong together with a glob expression",
        apart / step - (apart % step == 0), apart / step == 2 ? " is" : "s are", files[i - 1], files[i]));
  }
}

int probe_list(std::string_view path, const Endings& endings, int (*probe_file)(const char* path)) noexcept {
  constexpr int kSureOfLists = 80;
  try {
    return std::min(kSureOfLists, probe_file(list_files(path, endings).front().c_str()));
  } catch (const std::exception&) {
    return 0;
  }
}

}  // namespace spim::reading
