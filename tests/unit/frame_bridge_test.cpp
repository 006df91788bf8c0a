#include "spim/host/frame_bridge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "spim/error.hpp"
#include "tests/support/fake_frames.hpp"

namespace {

using spim::BadFrameLog;
using spim::BadFrames;
using spim::FrameBridge;
using spim::OnBadFrame;
using spim::test::FakeFrames;

constexpr std::int64_t kRows = 9, kColumns = 7;

/// A file of which the last rows of some frames cannot be read.
class TornFrames final : public spim::FrameReader {
 public:
  TornFrames(std::int64_t frames, std::set<std::int64_t> torn)
      : whole_(frames, kRows, kColumns), torn_(std::move(torn)) {}
  spim::StackInfo info() const override { return whole_.info(); }
  void read(std::int64_t frame, std::int64_t first_row, spim::ImageView<std::uint16_t> out) override {
    if (torn_.contains(frame) && first_row + out.rows == kRows)
      throw spim::Error("frame " + std::to_string(frame) + " is torn");
    whole_.read(frame, first_row, out);
  }

 private:
  FakeFrames whole_;
  std::set<std::int64_t> torn_;
};

struct Bridged {
  Bridged(std::int64_t frames, std::set<std::int64_t> torn, OnBadFrame policy, std::int64_t declared = 0)
      : bridge(std::make_shared<TornFrames>(frames, std::move(torn)), {"scan.dcimg", policy, declared}, log) {
  }

  /// The frame of which `rows` rows from `first` on are given for `frame`; BadFrames::kZeros for zeros.
  std::int64_t given(std::int64_t frame, std::int64_t first, std::int64_t rows) {
    std::vector<std::uint16_t> samples(static_cast<std::size_t>(rows * kColumns), 1);
    bridge.read(frame, first, {samples.data(), rows, kColumns, kColumns});
    if (std::ranges::all_of(samples, [](std::uint16_t s) { return s == 0; })) return BadFrames::kZeros;
    for (std::int64_t f = 0; f < bridge.info().frames; ++f)
      if (samples.front() == FakeFrames::sample(f, first, 0) &&
          samples.back() == FakeFrames::sample(f, first + rows - 1, kColumns - 1))
        return f;
    ADD_FAILURE() << "of no frame";
    return -2;
  }

  std::shared_ptr<BadFrameLog> log = std::make_shared<BadFrameLog>();
  FrameBridge bridge;
};

TEST(FrameBridge, failing_names_the_frame_and_what_can_be_done) {
  Bridged file(5, {3}, OnBadFrame::fail);
  EXPECT_EQ(file.given(2, 0, kRows), 2);
  try {
    file.given(3, 0, kRows);
    FAIL();
  } catch (const spim::Error& error) {
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr("frame 3"), testing::HasSubstr("--on-bad-frame")));
  }
  EXPECT_TRUE(file.log->empty());
}

TEST(FrameBridge, any_part_of_a_torn_frame_comes_from_the_nearest_whole_frame_before) {
  for (const std::int64_t first : {std::int64_t{0}, kRows - 2}) {
    Bridged file(8, {0, 1, 4, 5}, OnBadFrame::previous);
    for (const std::int64_t frame : {5, 0, 3, 4, 1})  // in any order
      EXPECT_EQ(file.given(frame, first, 2), frame < 2 ? 2 : 3) << frame << " from row " << first;
    const std::vector<BadFrames> rows = file.log->all();
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(std::tuple(rows[0].first, rows[0].last, rows[0].instead, rows[0].of), std::tuple(0, 1, 2, 8));
    EXPECT_EQ(std::tuple(rows[1].first, rows[1].last, rows[1].instead, rows[1].of), std::tuple(4, 5, 3, 8));
    EXPECT_EQ(rows[1].reason, "frame 4 is torn");
  }
}

TEST(FrameBridge, skipped_frames_are_zero_in_all_parts) {
  Bridged file(4, {1}, OnBadFrame::skip);
  EXPECT_EQ(file.given(1, 0, 2), BadFrames::kZeros);
  EXPECT_EQ(file.given(2, 0, 2), 2);
  EXPECT_EQ(file.bridge.source_of(1), BadFrames::kZeros);
}

TEST(FrameBridge, frames_beyond_the_end_of_a_file_that_is_cut_short_are_bridged) {
  Bridged file(6, {5}, OnBadFrame::previous, 9);
  EXPECT_EQ(file.bridge.info().frames, 9);
  EXPECT_EQ(file.bridge.info().declared, 9);
  EXPECT_EQ(file.given(8, 3, 4), 4);
  EXPECT_FALSE(file.bridge.stamp(8).has_counter);
  ASSERT_EQ(file.log->all().size(), 1u);
  EXPECT_THAT(file.log->all()[0].reason, testing::HasSubstr("6 of 9"));
}

TEST(FrameBridge, more_than_half_of_a_file_is_refused) {
  EXPECT_THROW(Bridged(3, {}, OnBadFrame::skip, 7), spim::Error);
  EXPECT_NO_THROW(Bridged(4, {}, OnBadFrame::skip, 8));
  Bridged file(5, {1, 2, 3}, OnBadFrame::previous);
  EXPECT_EQ(file.given(1, 0, 1), 0);
  EXPECT_EQ(file.given(2, 0, 1), 0);
  EXPECT_THROW(file.given(3, 0, 1), spim::Error);
  Bridged late(5, {0, 1, 2}, OnBadFrame::previous);
  EXPECT_THROW(late.given(0, 0, 1), spim::Error);
}

TEST(BadFrameLog, its_text_gives_the_same_list_again_and_each_frame_once) {
  BadFrameLog log, again;
  for (const std::int64_t frame : {7, 4, 5, 6, 5}) log.add({"b.dcimg", frame, frame, 20, 3, "torn"});
  log.add({"b.dcimg", 9, 9, 20, 8, "torn"});
  log.add({"a.dcimg", 0, 0, 20, BadFrames::kZeros, "gone \xff"});
  EXPECT_EQ(log.all().size(), 3u);
  again.merge(log.text(), "ledger");
  again.merge(log.text(), "ledger");
  again.add({"b.dcimg", 6, 6, 20, 3, "torn"});
  EXPECT_EQ(again.text(), log.text());
  EXPECT_EQ(again.all()[0].instead, BadFrames::kZeros);
  EXPECT_EQ(again.all()[1].last, 7);
  for (const char* damaged :
       {"[", "[{}]", R"([{"file":"a","first":0,"last":0,"of":1,"reason":"","instead":"x"}])"})
    EXPECT_THROW(again.merge(damaged, "ledger"), spim::Error) << damaged;
}

}  // namespace
