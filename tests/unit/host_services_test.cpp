// What the program offers to plugins: a log that never throws, cancellation, loops on its workers.
#include "spim/host/host_services.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

using namespace spim;

TEST(HostServices, hands_lines_to_the_sink_and_drops_what_it_throws) {
  const CancelToken cancel;
  const Executor executor(1, cancel);
  std::vector<std::string> lines;
  HostServices host(executor, [&](LogLevel level, std::string_view line) {
    lines.emplace_back(line);
    if (level == LogLevel::error) throw std::runtime_error("the log is full");
  });
  host.log(LogLevel::info, "one");
  host.log(LogLevel::error, "two");
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));
  HostServices(executor).log(LogLevel::error, "to nobody");
}

TEST(HostServices, calls_each_index_once_and_rethrows_the_first_exception) {
  const CancelToken cancel;
  const Executor executor(4, cancel);
  HostServices host(executor);
  std::vector<std::atomic<int>> calls(1000);
  host.parallel_for(
      1000,
      [](void* context, std::int64_t i) { ++(*static_cast<std::vector<std::atomic<int>>*>(context))[i]; },
      &calls);
  for (const auto& count : calls) ASSERT_EQ(count, 1);
  EXPECT_THROW(host.parallel_for(
                   10,
                   [](void*, std::int64_t i) {
                     if (i == 5) throw std::out_of_range("five");
                   },
                   nullptr),
               std::out_of_range);
}

TEST(HostServices, tells_plugins_that_the_user_asked_to_stop) {
  CancelToken cancel;
  const Executor executor(2, cancel);
  HostServices host(executor);
  EXPECT_FALSE(host.cancelled());
  cancel.request();
  EXPECT_TRUE(host.cancelled());
  EXPECT_THROW(host.parallel_for(
                   3, [](void*, std::int64_t) {}, nullptr),
               Cancelled);
}
