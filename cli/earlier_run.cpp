#include "earlier_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "spim/error.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// Options that change how a run works, not what it writes.
constexpr std::array<std::string_view, 5> kMachineOptions = {"memory", "n-workers", "n-writers", "plugin-dir",
                                                             "resume"};

Configuration what_decides(Configuration configuration) {
  for (const std::string_view option : kMachineOptions) configuration.options.erase(std::string(option));
  return configuration;
}

/// The first option that differs, "" when only something else does.
std::string first_difference(const OptionTexts& a, const OptionTexts& b) {
  for (const auto* options : {&a, &b})
    for (const auto& [name, value] : *options) {
      const auto in_a = a.find(name), in_b = b.find(name);
      if (in_a == a.end() || in_b == b.end() || in_a->second != in_b->second) return " (--" + name + ")";
    }
  return "";
}

}  // namespace

EarlierRun::EarlierRun(const std::string& pattern) : file_(configuration_path(pattern)) {}

bool EarlierRun::was_alike(const Configuration& now) const {
  std::error_code ignored;
  if (!fs::exists(file_, ignored)) return false;
  const Configuration then = what_decides(load_configuration(file_)), wanted = what_decides(now);
  if (configuration_text(then) == configuration_text(wanted)) return true;
  throw UsageError(
      fmt::format("{}: the files that are there were made with other options{}; give the same with --resume, "
                  "or --overwrite",
                  file_.string(), first_difference(then.options, wanted.options)));
}

bool EarlierRun::is_followed_by(const fs::path& file) const {
  std::error_code error;
  const auto began = fs::last_write_time(file_, error);
  return !error && fs::last_write_time(file, error) >= began && !error;
}

void EarlierRun::remember(const Configuration& now) const {
  std::error_code error;
  const fs::path folder = fs::absolute(file_).parent_path();
  fs::create_directories(folder, error);
  if (error) throw Error(fmt::format("{} cannot be created: {}", folder.string(), error.message()));
  save_configuration(what_decides(now), file_);
}

}  // namespace spim::cli
