#include "spim/host/run_plan.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "durable.hpp"
#include "input_bytes.hpp"
#include "spim/crc32c.hpp"
#include "spim/error.hpp"

namespace spim {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr int kPlanFormat = 1;
constexpr std::size_t kHeadBytes = std::size_t{1} << 16;
/// Looking costs a disk one movement for each; a camera file takes it a hundred times as long to read.
constexpr std::int64_t kSamples = 64;
constexpr std::int64_t kSampleBytes = 512;

std::int64_t modified(const struct stat& status) {
  return static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
}

struct stat status_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw detail::system_failure(path, "cannot be examined", errno);
  return status;
}

std::uint32_t crc_of_text(std::string_view text) {
  return crc32c(std::as_bytes(std::span(text.data(), text.size())));
}

/// A stack of one file per frame.
void look_into_folder(InputFile& input) {
  std::vector<std::string> rows;
  std::error_code error;
  for (fs::recursive_directory_iterator i(input.path, error), end; !error && i != end; i.increment(error)) {
    if (!i->is_regular_file()) continue;
    const struct stat status = status_of(i->path());
    input.bytes += status.st_size;
    input.modified_ns = std::max(input.modified_ns, modified(status));
    rows.push_back(fmt::format("{}:{}", i->path().lexically_relative(input.path).string(), status.st_size));
  }
  if (error) throw detail::system_failure(input.path, "cannot be listed", error.value());
  std::sort(rows.begin(), rows.end());
  input.head = crc_of_text(fmt::format("{}", fmt::join(rows, "\n")));
}

/// Where the samples of a file begin: evenly all over it, the last one at its end.
std::vector<std::int64_t> sample_offsets(std::int64_t bytes) {
  const std::int64_t last = std::max<std::int64_t>(0, bytes - kSampleBytes);
  std::vector<std::int64_t> offsets;
  for (std::int64_t i = 0; i < kSamples; ++i) {
    // Not last * i / n, which might exceed 64 bits.
    const std::int64_t n = kSamples - 1;
    offsets.push_back(last / n * i + last % n * i / n);
  }
  return offsets;
}

/// Collects what is not the same, in words.
class Differences {
 public:
  void add(const std::string& what) {
    if (count_++ < kShown) text_ += (text_.empty() ? "" : "; ") + what;
  }
  std::string text() const {
    return count_ <= kShown ? text_ : fmt::format("{}; and {} more", text_, count_ - kShown);
  }

 private:
  static constexpr std::size_t kShown = 3;
  std::size_t count_ = 0;
  std::string text_;
};

std::string shown(const ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Members of two objects: each that only one of them has, or that differ.
void compare(const ordered_json& then, const ordered_json& now, const std::string& what, Differences& found) {
  for (const auto& [key, value] : then.items()) {
    if (!now.contains(key))
      found.add(fmt::format("{} {} was {} and is not given now", what, key, shown(value)));
    else if (now[key] != value)
      found.add(fmt::format("{} {} was {} and is {}", what, key, shown(value), shown(now[key])));
  }
  for (const auto& [key, value] : now.items())
    if (!then.contains(key))
      found.add(fmt::format("{} {} is {} and was not given then", what, key, shown(value)));
}

void compare_inputs(const ordered_json& then, const ordered_json& now, Differences& found) {
  for (const auto& [path, was] : then.items()) {
    if (!now.contains(path)) {
      found.add(fmt::format("{} is not an input any more", path));
      continue;
    }
    const ordered_json& is = now[path];
    if (was.at("bytes") != is.at("bytes"))
      found.add(fmt::format("{} had {} bytes and has {}", path, was["bytes"].dump(), is["bytes"].dump()));
    else if (was.at("modified_ns") != is.at("modified_ns"))
      found.add(fmt::format("{} has been written to", path));
    else if (was.at("head") != is.at("head") || was.at("samples") != is.at("samples"))
      found.add(fmt::format("{} has other bytes, although its time of change is the same", path));
  }
  for (const auto& [path, is] : now.items())
    if (!then.contains(path)) found.add(fmt::format("{} was not an input then", path));
}

/// What aligned the tiles has done its work: the alignment has a checksum.
ordered_json without_aligner(const ordered_json& plugins) {
  ordered_json others = ordered_json::object();
  const std::string prefix = fmt::format("{} ", kind_word(Kind::aligner));
  for (const auto& [key, value] : plugins.items())
    if (!key.starts_with(prefix)) others[key] = value;
  return others;
}

void compare_versions(const ordered_json& then, const ordered_json& now, Differences& found) {
  const std::string a = then.at("choices").value("spimstitch", ""),
                    b = now.at("choices").value("spimstitch", "");
  if (a != b) found.add(fmt::format("spimstitch was {} and is {}", a, b));
}

void compare_choices(const ordered_json& then, const ordered_json& now, Differences& found) {
  const auto section = [](const ordered_json& all, const std::string& key) {
    return all.contains(key) ? all[key] : ordered_json::object();
  };
  compare(section(then, "options"), section(now, "options"), "option", found);
  for (const Kind kind : kAllKinds) {
    const std::string word(kind_word(kind));
    const ordered_json a = section(then, word), b = section(now, word);
    if (a.value("id", "") != b.value("id", ""))
      found.add(fmt::format("the {} was {} and is {}", word, a.value("id", "none"), b.value("id", "none")));
    else
      compare(section(a, "options"), section(b, "options"), word + " option", found);
  }
}

}  // namespace

InputFile look_at_input(const fs::path& path) {
  InputFile input;
  input.path = fs::absolute(path).lexically_normal().string();
  const struct stat status = status_of(path);
  if (S_ISDIR(status.st_mode)) {
    look_into_folder(input);
    return input;
  }
  input.bytes = status.st_size;
  input.modified_ns = modified(status);
  const detail::InputBytes file(path);
  std::vector<std::byte> bytes(kHeadBytes);
  input.head = crc32c(file.read(0, bytes));
  bytes.resize(kSampleBytes);
  for (const std::int64_t offset : sample_offsets(input.bytes))
    input.samples = crc32c(file.read(offset, bytes), input.samples);
  return input;
}

std::string plan_text(const RunPlan& plan) {
  ordered_json document;
  document["plan"] = kPlanFormat;
  document["choices"] = ordered_json::parse(configuration_text(plan.choices));
  document["plugins"] = plan.plugins;
  ordered_json& inputs = document["inputs"] = ordered_json::object();
  for (const InputFile& input : plan.inputs)
    inputs[input.path] = {{"bytes", input.bytes},
                          {"modified_ns", input.modified_ns},
                          {"head", fmt::format("{:08x}", input.head)},
                          {"samples", fmt::format("{:08x}", input.samples)}};
  return document.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string plan_difference(const std::string& stored, const std::string& now,
                            const std::string& source) try {
  const ordered_json then = ordered_json::parse(stored), is = ordered_json::parse(now);
  Differences found;
  if (then.at("plan") != is.at("plan"))
    found.add(fmt::format("plans have format {} and had {}", is.at("plan").dump(), then.at("plan").dump()));
  compare_versions(then, is, found);
  compare_choices(then.at("choices"), is.at("choices"), found);
  compare(then.at("plugins"), is.at("plugins"), "plugin", found);
  compare_inputs(then.at("inputs"), is.at("inputs"), found);
  return found.text();
} catch (const ordered_json::exception& error) {
  throw Error(fmt::format("{} is damaged: {}; use --overwrite to begin again", source, error.what()));
}

std::string plan_obstacle(const std::string& stored, const RunPlan& now, const std::string& source) try {
  const ordered_json then = ordered_json::parse(stored), is = ordered_json::parse(plan_text(now));
  Differences found;
  compare_versions(then, is, found);
  compare(without_aligner(then.at("plugins")), without_aligner(is.at("plugins")), "plugin", found);
  for (const auto& [path, was] : then.at("inputs").items()) {
    std::error_code error;
    if (!fs::exists(path, error)) {
      found.add(fmt::format("the input {} is not there", path));
      continue;
    }
    const InputFile input = look_at_input(path);
    if (was.at("bytes") != input.bytes)
      found.add(fmt::format("{} had {} bytes and has {}", path, was["bytes"].dump(), input.bytes));
    else if (was.at("head") != fmt::format("{:08x}", input.head))
      found.add(fmt::format("{} begins with other bytes than then", path));
    else if (was.contains("samples") && was["samples"] != fmt::format("{:08x}", input.samples))
      found.add(fmt::format("{} has other bytes than then", path));
  }
  return found.text();
} catch (const ordered_json::exception& error) {
  throw Error(fmt::format("{} is damaged: {}; without it nothing can be made again", source, error.what()));
}

}  // namespace spim
