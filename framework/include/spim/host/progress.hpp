#pragma once
/// How long work tells that it moves on. The CLI draws it; the framework only reports.

#include <cstdint>
#include <string_view>

namespace spim {

/// Receives the progress of one command. [any thread]
class Progress {
 public:
  virtual ~Progress() = default;
  /// A stage of `total` bytes of work begins; a previous stage ends.
  virtual void begin(std::string_view stage, std::int64_t total) = 0;
  /// The same where `total` counts things that `unit` names, e.g. "overlaps".
  virtual void begin_counting(std::string_view stage, std::string_view unit, std::int64_t total) {
    (void)unit;
    begin(stage, total);
  }
  virtual void advance(std::int64_t bytes) noexcept = 0;
  virtual void end() = 0;
};

/// Keeps silent.
class NoProgress final : public Progress {
 public:
  void begin(std::string_view, std::int64_t) override {}
  void advance(std::int64_t) noexcept override {}
  void end() override {}
};

}  // namespace spim
