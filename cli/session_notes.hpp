#pragma once
/// What a command has found out on its way and its report repeats.

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace spim::cli {

/// Frames that the camera counted but did not deliver.
struct DroppedFrames {
  std::string file;
  std::int64_t frame = 0;  ///< first frame behind the gap
  std::int64_t dropped = 0;
  friend bool operator==(const DroppedFrames&, const DroppedFrames&) = default;
};

/// Keeps each note once, however often it is made. [any thread]
class SessionNotes {
 public:
  void warn(std::string_view text) noexcept;
  void add(const DroppedFrames& gap);

  std::vector<std::string> warnings() const;
  std::vector<DroppedFrames> dropped() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> warnings_;
  std::vector<DroppedFrames> dropped_;
};

}  // namespace spim::cli
