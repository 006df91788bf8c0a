#include "spim/host/executor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

TEST(Executor, RunsEachIndexOnceOnValidWorkers) {
  spim::CancelToken cancel;
  const spim::Executor executor(3, cancel);
  std::vector<std::atomic<int>> seen(1000);
  std::atomic<bool> bad_worker{false};
  executor.parallel_for(1000, [&](std::int64_t i, int worker) {
    ++seen[static_cast<std::size_t>(i)];
    if (worker < 0 || worker >= 3) bad_worker = true;
  });
  for (auto& n : seen) EXPECT_EQ(n, 1);
  EXPECT_FALSE(bad_worker);
}

TEST(Executor, RethrowsTheFirstExceptionAndStops) {
  spim::CancelToken cancel;
  const spim::Executor executor(2, cancel);
  std::atomic<int> ran{0};
  EXPECT_THROW(executor.parallel_for(1'000'000,
                                     [&](std::int64_t i, int) {
                                       ++ran;
                                       if (i == 10) throw std::runtime_error("broken");
                                     }),
               std::runtime_error);
  EXPECT_LT(ran, 1'000'000);
}

TEST(Executor, RethrowsTheLowestOfSeveralFailuresHoweverTheyCome) {
  spim::CancelToken cancel;
  const spim::Executor executor(2, cancel);
  std::atomic<bool> later_failed{false};
  try {
    executor.parallel_for(100, [&](std::int64_t i, int) {
      if (i == 11) {
        later_failed = true;
        throw std::runtime_error("11");
      }
      if (i != 10) return;
      // Both are under way at once, and the higher one fails first.
      while (!later_failed) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      throw std::runtime_error("10");
    });
    FAIL() << "nothing was rethrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "10");
  }
}

TEST(Executor, StopsWhenCancelled) {
  spim::CancelToken cancel;
  const spim::Executor executor(2, cancel);
  EXPECT_THROW(executor.parallel_for(1'000'000,
                                     [&](std::int64_t i, int) {
                                       if (i == 5) cancel.request();
                                     }),
               spim::Cancelled);
}

TEST(Executor, NestedLoopsRunOnTheCaller) {
  spim::CancelToken cancel;
  const spim::Executor executor(2, cancel);
  std::atomic<int> total{0};
  std::atomic<bool> moved{false};
  executor.parallel_for(8, [&](std::int64_t, int outer) {
    executor.parallel_for(8, [&](std::int64_t, int inner) {
      ++total;
      if (inner != outer) moved = true;
    });
  });
  EXPECT_EQ(total, 64);
  EXPECT_FALSE(moved);
}

}  // namespace
