#include "spim/host/host_services.hpp"

#include <utility>

namespace spim {

HostServices::HostServices(const Executor& executor, LogSink sink)
    : executor_(&executor), sink_(std::move(sink)) {}

void HostServices::log(LogLevel level, std::string_view message) noexcept {
  if (!sink_) return;
  try {
    sink_(level, message);
  } catch (...) {  // NOLINT(bugprone-empty-catch): see the declaration
  }
}

bool HostServices::cancelled() const noexcept {
  return executor_->cancel().requested();
}

void HostServices::parallel_for(std::int64_t count, void (*body)(void* context, std::int64_t index),
                                void* context) {
  executor_->parallel_for(count, [&](std::int64_t index, int) { body(context, index); });
}

}  // namespace spim
