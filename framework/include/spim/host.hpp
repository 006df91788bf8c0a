#pragma once
/// What the host offers to a plugin.

#include <cstdint>
#include <string_view>

namespace spim {

enum class LogLevel : std::uint32_t { debug = 0, info = 1, warning = 2, error = 3 };

/// Services of the host. Outlives every instance of every plugin. [any thread]
class Host {
 public:
  /// Hands one line to the host's log. A plugin never writes to the terminal itself.
  virtual void log(LogLevel level, std::string_view message) noexcept = 0;

  /// True once the user asked to stop. Long loops look at it and return early by throwing.
  virtual bool cancelled() const noexcept = 0;

  /// Calls body(context, i) for each i in [0, count) on the host's workers and returns when all are done. The
  /// first exception of a body is rethrown here. A plugin never starts threads of its own. May be called from
  /// inside a body: it then runs on the calling worker alone.
  virtual void parallel_for(std::int64_t count, void (*body)(void* context, std::int64_t index),
                            void* context) = 0;

 protected:
  ~Host() = default;
};

/// Receives key/value pairs that describe a file. [the calling thread, during the call only]
class MetadataSink {
 public:
  virtual void text(std::string_view key, std::string_view value) = 0;
  virtual void integer(std::string_view key, std::int64_t value) = 0;
  virtual void number(std::string_view key, double value) = 0;

 protected:
  ~MetadataSink() = default;
};

}  // namespace spim
