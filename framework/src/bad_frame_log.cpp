#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "spim/error.hpp"
#include "spim/host/frame_bridge.hpp"

namespace spim {

using nlohmann::ordered_json;

namespace {

constexpr std::string_view kFrame = "frame ";

std::int64_t parse_instead(const std::string& text) {
  if (text == "zeros") return BadFrames::kZeros;
  std::int64_t frame = -1;
  const char* const end = text.data() + text.size();
  if (!text.starts_with(kFrame) || std::from_chars(text.data() + kFrame.size(), end, frame).ptr != end ||
      frame < 0)
    throw Error(fmt::format("\"{}\" is neither zeros nor a frame", text));
  return frame;
}

}  // namespace

void BadFrameLog::add(const BadFrames& frames) {
  const std::lock_guard lock(mutex_);
  const auto [row, is_new] = rows_.try_emplace({frames.file, frames.first}, frames);
  if (!is_new && frames.last > row->second.last) row->second = frames;
}

void BadFrameLog::clear() {
  const std::lock_guard lock(mutex_);
  rows_.clear();
}

bool BadFrameLog::empty() const {
  const std::lock_guard lock(mutex_);
  return rows_.empty();
}

std::vector<BadFrames> BadFrameLog::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<BadFrames> joined;
  for (const auto& [key, row] : rows_) {
    if (!joined.empty()) {
      BadFrames& before = joined.back();
      if (before.file == row.file && row.last <= before.last) continue;
      if (before.file == row.file && before.instead == row.instead && row.first <= before.last + 1) {
        before.last = row.last;
        continue;
      }
    }
    joined.push_back(row);
  }
  return joined;
}

std::string BadFrameLog::text() const {
  ordered_json rows = ordered_json::array();
  for (const BadFrames& row : all())
    rows.push_back(
        {{"file", row.file},
         {"first", row.first},
         {"last", row.last},
         {"of", row.of},
         {"reason", row.reason},
         {"instead", row.instead == BadFrames::kZeros ? "zeros" : fmt::format("{}{}", kFrame, row.instead)}});
  return rows.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

void BadFrameLog::merge(std::string_view json, const std::string& source) try {
  for (const ordered_json& row : ordered_json::parse(json))
    add({row.at("file").get<std::string>(), row.at("first").get<std::int64_t>(),
         row.at("last").get<std::int64_t>(), row.at("of").get<std::int64_t>(),
         parse_instead(row.at("instead").get<std::string>()), row.at("reason").get<std::string>()});
} catch (const ordered_json::exception& error) {
  throw Error(fmt::format("{}: its list of bad frames is damaged: {}", source, error.what()));
} catch (const Error& error) {
  throw Error(fmt::format("{}: its list of bad frames is damaged: {}", source, error.what()));
}

}  // namespace spim
