/// What `spimstitch info` shows of a DCIMG file.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

#include "dcimg.hpp"
#include "spim/error.hpp"

namespace spim {
namespace {

constexpr int kShownGaps = 10;

std::string version_text(std::uint32_t version) {
  switch (version) {
    case dcimg_reader::kVersion7:
      return "7 (packed)";
    case dcimg_reader::kVersion1:
      return "1.0 (framed)";
    case dcimg_reader::kVersion1_5:
      return "1.5 (framed)";
    default:
      return "2.0 (framed)";
  }
}

std::string utc(std::int64_t microseconds) {
  const auto seconds = static_cast<std::time_t>(microseconds / 1'000'000);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06} UTC", fmt::gmtime(seconds), microseconds % 1'000'000);
}

/// Follows the camera's stamps from frame to frame.
struct StampSurvey {
  std::optional<std::uint32_t> counter;  // of the frame before
  std::int64_t counted = 0, dropped = 0, gaps = 0, backwards = 0;
  std::string where;  // the first gaps
  std::optional<std::int64_t> first_time, last_time;
  std::int64_t first_timed = 0, last_timed = 0;  // frames of those times

  void add(std::int64_t frame, const FrameStamp& stamp) {
    if (stamp.has_counter) add_counter(frame, stamp.counter);
    if (!stamp.has_time) return;
    if (!first_time) {
      first_time = stamp.microseconds;
      first_timed = frame;
    }
    last_time = stamp.microseconds;
    last_timed = frame;
  }

 private:
  void add_counter(std::int64_t frame, std::uint32_t now) {
    ++counted;
    const std::uint32_t step = counter ? now - *counter : 1U;  // modulo 2^32: a counter may wrap
    counter = now;
    if (step == 1) return;
    if (step == 0 || step > UINT32_MAX / 2) {
      ++backwards;
      return;
    }
    dropped += step - 1;
    if (++gaps > kShownGaps) return;
    where += fmt::format("{}{} before frame {}", where.empty() ? "" : ", ", step - 1, frame);
  }
};

}  // namespace

void DcimgReader::describe(MetadataSink& sink) {
  const auto& s = session_;
  sink.text("format", "DCIMG");
  sink.text("version", version_text(s.version));
  sink.integer("frames_declared", s.declared);
  sink.integer("frames_present", s.frames);
  sink.integer("sessions", s.sessions);
  describe_camera(sink);
  sink.integer("row_bytes", s.row_bytes);
  sink.integer("row_padding", s.padding());
  if (s.padding() > 0) sink.text("row_padding_at", padding_at_start_ ? "start" : "end");
  sink.integer("first_pixel_at", s.data);
  sink.integer("frame_stride", s.stride);
  sink.integer("bytes_behind_frames", std::max<std::int64_t>(file_.size() - s.frame_at(s.frames), 0));
  if (s.overwritten) {
    const std::int64_t last = s.overwritten->column + 8 / bytes_of(s.type) - 1;
    sink.text("overwritten_pixels",
              fmt::format("row {}, columns {} to {}: {}", s.overwritten->row, s.overwritten->column, last,
                          restore_ ? "restored" : "left as they are"));
  } else {
    sink.text("overwritten_pixels", "none known");
  }
  describe_stamps(sink);
}

void DcimgReader::describe_camera(MetadataSink& sink) const {
  const auto& camera = session_.camera;
  if (!camera.model.empty()) sink.text("camera_model", camera.model);
  if (!camera.serial.empty()) sink.text("camera_serial", camera.serial);
  if (camera.width == 0) return;
  sink.text("sub_array", fmt::format("x {} to {}, y {} to {} of the sensor", camera.x,
                                     camera.x + camera.width - 1, camera.y, camera.y + camera.height - 1));
  if (camera.binning > 0) sink.integer("binning", camera.binning);
}

void DcimgReader::describe_stamps(MetadataSink& sink) {
  StampSurvey survey;
  for (std::int64_t frame = 0; frame < session_.frames; ++frame) {
    if (host_.cancelled()) throw Error(fmt::format("{}: interrupted", file_.path()));
    survey.add(frame, stamp(frame));
  }
  if (survey.counted > 0) {
    sink.integer("dropped_frames", survey.dropped);
    if (survey.gaps > 0)
      sink.text("dropped_where",
                survey.where + (survey.gaps > kShownGaps
                                    ? fmt::format(" and {} more gaps", survey.gaps - kShownGaps)
                                    : std::string()));
    if (survey.backwards > 0) sink.integer("counter_not_rising", survey.backwards);
  }
  if (!survey.first_time) return;
  sink.text("first_time", utc(*survey.first_time));
  sink.text("last_time", utc(*survey.last_time));
  if (survey.last_timed > survey.first_timed)
    sink.number("mean_interval_ms", static_cast<double>(*survey.last_time - *survey.first_time) / 1000.0 /
                                        static_cast<double>(survey.last_timed - survey.first_timed));
}

}  // namespace spim
