#include "bridged_frames.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace spim::cli {

namespace {

constexpr const char* kNote = "bad_frames";

std::int64_t count_of(const BadFrames& row) {
  return row.last - row.first + 1;
}

std::string sentence(const BadFrames& row) {
  const bool one = row.first == row.last;
  return fmt::format(
      "{}: frame{} {} of {} could not be read, and {} taken instead: {}", row.file, one ? "" : "s",
      one ? fmt::format("{}", row.first) : fmt::format("{} to {}", row.first, row.last), row.of,
      row.instead == BadFrames::kZeros ? "zeros were" : fmt::format("frame {} was", row.instead), row.reason);
}

}  // namespace

std::map<std::string, std::string> bad_frame_notes(const BadFrameLog& log) {
  if (log.empty()) return {};
  return {{kNote, log.text()}};
}

void add_bad_frames_of(const RunFolder& folder, BadFrameLog& log) {
  for (const std::string& task : folder.done_tasks())
    if (const auto entry = folder.entry(task))
      if (const auto note = entry->notes.find(kNote); note != entry->notes.end())
        log.merge(note->second, fmt::format("{}: task {}", folder.path().string(), task));
}

void refuse_many(const BadFrameLog& log) {
  std::map<std::string, std::int64_t> bad;
  for (const BadFrames& row : log.all())
    if ((bad[row.file] += count_of(row)) > row.of / 2)
      throw Error(fmt::format(
          "{}: at least {} of {} frames could not be read, and no more than half of them are bridged; "
          "restore the file, or leave the tile out",
          row.file, bad[row.file], row.of));
}

void warn_of_bad_frames(Session& session) {
  constexpr std::size_t kShown = 20;
  const std::vector<BadFrames> rows = session.bad_frames()->all();
  std::int64_t frames = 0, hidden = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    frames += count_of(rows[i]);
    if (i < kShown)
      session.warn(sentence(rows[i]));
    else
      hidden += count_of(rows[i]);
  }
  if (frames > 0)
    session.warn(fmt::format("{} frame{} could not be read{}", frames, frames == 1 ? "" : "s",
                             hidden > 0 ? fmt::format(", {} of them not shown here", hidden) : ""));
}

}  // namespace spim::cli
