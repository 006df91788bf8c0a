#include "spim/host/frame_source.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "spim/error.hpp"
#include "tests/support/fake_frames.hpp"

namespace {

using spim::BlockedView;
using spim::FrameCorner;
using spim::ImageView;
using spim::Orientation;
using spim::test::FakeFrames;

/// A dense image for the naive oracle.
struct Image {
  std::int64_t rows = 0, columns = 0;
  std::vector<std::uint16_t> samples;

  std::uint16_t& at(std::int64_t i, std::int64_t j) {
    return samples[static_cast<std::size_t>(i * columns + j)];
  }
};

Image make(std::int64_t rows, std::int64_t columns) {
  return {rows, columns, std::vector<std::uint16_t>(static_cast<std::size_t>(rows * columns))};
}

/// numpy.rot90: out[i, j] = in[j, columns − 1 − i].
Image rot90(Image in) {
  Image out = make(in.columns, in.rows);
  for (std::int64_t i = 0; i < out.rows; ++i)
    for (std::int64_t j = 0; j < out.columns; ++j) out.at(i, j) = in.at(j, in.columns - 1 - i);
  return out;
}

Image flipud(Image in) {
  Image out = make(in.rows, in.columns);
  for (std::int64_t i = 0; i < out.rows; ++i)
    for (std::int64_t j = 0; j < out.columns; ++j) out.at(i, j) = in.at(in.rows - 1 - i, j);
  return out;
}

Image oracle(const FakeFrames& reader, std::int64_t frame, Orientation orientation) {
  Image image = make(reader.info().rows, reader.info().columns);
  for (std::int64_t i = 0; i < image.rows; ++i)
    for (std::int64_t j = 0; j < image.columns; ++j) image.at(i, j) = reader.expected(frame, i, j);
  for (int k = 0; k < orientation.rotate_90; ++k) image = rot90(image);
  return orientation.flip_ud ? flipud(image) : image;
}

/// Memory for a part of a frame, filled with a mark.
struct Buffer {
  static constexpr std::uint16_t kMark = 7;

  Buffer(std::int64_t z_count, std::int64_t y_count)
      : samples(static_cast<std::size_t>(spim::ceil_div(y_count, kRows) * (z_count * kRows + 5)), kMark),
        view{samples.data(), z_count, y_count, z_count * kRows + 5} {}

  static constexpr std::int64_t kRows = BlockedView::kRows;
  std::vector<std::uint16_t> samples;
  BlockedView view;
};

/// Loads a part and checks each sample, and that nothing beside it was touched.
void check_part(spim::FrameSource& source, Image& expected, std::int64_t frame, FrameCorner first,
                spim::StackShape part) {
  Buffer buffer(part.columns, part.rows);
  source.load(frame, first, buffer.view);
  for (std::int64_t z = 0; z < part.columns; ++z)
    for (std::int64_t y = 0; y < part.rows; ++y) {
      ASSERT_EQ(buffer.view.at(z, y), expected.at(first.y + y, first.z + z)) << "z " << z << " y " << y;
      buffer.view.at(z, y) = Buffer::kMark;
    }
  for (const std::uint16_t sample : buffer.samples) ASSERT_EQ(sample, Buffer::kMark) << "beside the frame";
}

TEST(OrientedFrames, EqualNumpyInAllEightOrientationsAndAllParts) {
  struct Size {
    std::int64_t rows, columns;
  };
  for (const Size size : {Size{1, 1}, {5, 3}, {33, 70}, {64, 32}, {1, 19}, {90, 1}})
    for (int rotate = 0; rotate < 4; ++rotate)
      for (const bool flip : {false, true}) {
        const auto reader = std::make_shared<FakeFrames>(3, size.rows, size.columns);
        const auto source = spim::oriented_frames(reader, {rotate, flip}, {});
        Image expected = oracle(*reader, 2, {rotate, flip});
        const spim::StackShape shape = source->shape();
        ASSERT_EQ(shape.frames, 3);
        ASSERT_EQ(shape.rows, expected.rows);
        ASSERT_EQ(shape.columns, expected.columns);
        check_part(*source, expected, 2, {}, shape);
        const std::int64_t z = shape.columns / 3, y = shape.rows / 4;
        check_part(*source, expected, 2, {z, 0}, {0, shape.rows, shape.columns - z});
        check_part(*source, expected, 2, {0, y}, {0, shape.rows - y, shape.columns});
        check_part(*source, expected, 2, {z, y}, {0, (shape.rows - y + 1) / 2, (shape.columns - z + 1) / 2});
      }
}

TEST(OrientedFrames, AreRightWhenAFrameIsReadInSeveralPieces) {
  for (int rotate = 0; rotate < 4; ++rotate)
    for (const bool flip : {false, true}) {
      const auto reader = std::make_shared<FakeFrames>(1, 467, 609);  // 214 rows are a piece of 256 KiB
      const auto source = spim::oriented_frames(reader, {rotate, flip}, {});
      Image expected = oracle(*reader, 0, {rotate, flip});
      check_part(*source, expected, 0, {}, source->shape());
      check_part(*source, expected, 0, {9, 11}, {0, 440, 450});
      EXPECT_EQ(reader->rows_read, 467 + (rotate % 2 ? 450 : 440));
    }
}

TEST(OrientedFrames, APartInZReadsOnlyItsRowsOfTheMicroscopesFile) {
  const auto reader = std::make_shared<FakeFrames>(4, 300, 200);
  const auto source = spim::oriented_frames(reader, {3, true}, {});
  ASSERT_EQ(source->shape().columns, 300);
  Image expected = oracle(*reader, 1, {3, true});
  check_part(*source, expected, 1, {100, 0}, {0, 200, 64});
  EXPECT_EQ(reader->rows_read, 64);
  EXPECT_EQ(reader->reads, 1);
}

TEST(OrientedFrames, HonourStartAndStop) {
  const auto reader = std::make_shared<FakeFrames>(10, 4, 6);
  const auto some = spim::oriented_frames(reader, {3, true}, {3, 7});
  EXPECT_EQ(some->shape().frames, 4);
  Image expected = oracle(*reader, 5, {3, true});
  check_part(*some, expected, 2, {}, some->shape());
  EXPECT_EQ(spim::oriented_frames(reader, {}, {4, 0})->shape().frames, 6);
}

TEST(OrientedFrames, RefuseWhatTheStackDoesNotHave) {
  const auto reader = std::make_shared<FakeFrames>(10, 4, 6);
  for (const spim::FrameRange range : {spim::FrameRange{5, 5}, {7, 3}, {-1, 4}, {0, 11}, {10, 0}})
    EXPECT_THROW(spim::oriented_frames(reader, {}, range), spim::UsageError) << range.start;
  EXPECT_THROW(spim::oriented_frames(reader, {4, false}, {}), spim::UsageError);
  EXPECT_THROW(spim::oriented_frames(reader, {-1, false}, {}), spim::UsageError);
  EXPECT_THROW(spim::oriented_frames(std::make_shared<FakeFrames>(0, 4, 6), {}, {}), spim::Error);
}

TEST(OrientedFrames, KeepTheTypeOfTheFile) {
  const auto reader = std::make_shared<FakeFrames>(spim::StackInfo{2, 2, 3, 5, spim::PixelType::u8});
  const auto source = spim::oriented_frames(reader, {1, false}, {});
  EXPECT_EQ(source->type(), spim::PixelType::u8);
  Image expected = oracle(*reader, 1, {1, false});
  check_part(*source, expected, 1, {}, source->shape());
}

}  // namespace
