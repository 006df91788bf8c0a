#pragma once
/// Frame reader for stacks that exist only as a description: every frame is computed when it is read.

#include <cstdint>
#include <string_view>

#include "phantom/simulated_stack.hpp"
#include "spim/plugin.hpp"

namespace spim {

/// Reads *.simulated.json (see README.md). Reentrant: nothing is kept between calls.
class SimulatedReader final : public FrameReader {
 public:
  /// Throws Error naming the file and the member that is wrong.
  SimulatedReader(Host& host, const Options& options, std::string_view path);

  static int probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept;

  StackInfo info() const override { return simulator_.info(); }
  void read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) override {
    simulator_.read(frame, first_row, out);
  }
  /// Counters run from 0; times are 10 ms apart, as of a camera without dropped frames.
  FrameStamp stamp(std::int64_t frame) override;
  void describe(MetadataSink& sink) override;

 private:
  StackSimulator simulator_;
};

}  // namespace spim
