#pragma once
/// What a benchmark hands to the plugins that it measures.

#include <cstdint>
#include <string_view>

#include "spim/host.hpp"

namespace spim::test {

/// Says nothing, is never cancelled, and runs loops on the calling thread.
class QuietHost final : public Host {
 public:
  void log(LogLevel, std::string_view) noexcept override {}
  bool cancelled() const noexcept override { return false; }
  void parallel_for(std::int64_t count, void (*body)(void*, std::int64_t), void* context) override {
    for (std::int64_t i = 0; i < count; ++i) body(context, i);
  }
};

}  // namespace spim::test
