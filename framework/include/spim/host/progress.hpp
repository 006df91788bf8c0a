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
