#pragma once
/// Where the time of a run goes: totals of each stage of the work, over all threads.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spim {

/// What becomes of a sample, in this order.
enum class Stage {
  read,     ///< camera files to oriented frames; bytes are those asked of the camera files
  correct,  ///< magnification, dark, destriping, flat; bytes of the corrected frames
  place,    ///< deskew and blend; bytes of the voxels of level 0 that may hold data
  halve,    ///< lower resolutions; bytes of the chunks of level 0 that they come from
  encode,   ///< compression and writing, of all levels; bytes of the voxels that are given to the writer
  commit    ///< checksums, and waiting until files are on the disk; bytes of the files
};
inline constexpr std::array kAllStages{Stage::read,  Stage::correct, Stage::place,
                                       Stage::halve, Stage::encode,  Stage::commit};

/// "read", "correct", …: names in reports.
std::string_view stage_word(Stage stage) noexcept;

/// Sums over all threads and calls.
struct StageTotals {
  double cpu_seconds = 0;   ///< of the threads inside the stage
  double wall_seconds = 0;  ///< that threads were inside; above cpu_seconds where they waited
  std::int64_t bytes = 0;
  std::int64_t calls = 0;
  friend StageTotals operator-(const StageTotals& a, const StageTotals& b) noexcept {
    return {a.cpu_seconds - b.cpu_seconds, a.wall_seconds - b.wall_seconds, a.bytes - b.bytes,
            a.calls - b.calls};
  }
};

/// Totals of all stages since it was made. A part of a run, as one phase or one channel, is the difference of
/// two readings. [any thread]
class StageMeter {
 public:
  StageTotals of(Stage stage) const noexcept;

  void add_bytes(Stage stage, std::int64_t bytes) noexcept {
    cell(stage).bytes.fetch_add(bytes, std::memory_order_relaxed);
  }

 private:
  friend class StageTimer;
  struct Cell {
    std::atomic<std::int64_t> cpu_ns{0}, wall_ns{0}, bytes{0}, calls{0};
  };
  Cell& cell(Stage stage) noexcept { return cells_[static_cast<std::size_t>(stage)]; }

  std::array<Cell, kAllStages.size()> cells_;
};

/// Counts one call of a stage, from here to the end of the scope. What happens inside another timer of the
/// same thread belongs to that one alone, so that the stages add up to the time of the work. Costs less than
/// a microsecond; nothing without a meter (null).
class StageTimer {
 public:
  StageTimer(StageMeter* meter, Stage stage, std::int64_t bytes = 0) noexcept;
  ~StageTimer();
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  struct Moment {
    std::int64_t cpu_ns = 0, wall_ns = 0;
  };
  static Moment now() noexcept;

  StageMeter* meter_;
  Stage stage_;
  std::int64_t bytes_;
  StageTimer* outer_ = nullptr;  ///< of the same thread
  Moment began_;
  Moment inner_;  ///< spent in timers inside this one
};

}  // namespace spim
