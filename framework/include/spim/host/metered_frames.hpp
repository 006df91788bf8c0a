#pragma once
/// Camera files and frames whose cost is counted.

#include <memory>

#include "spim/frame_reader.hpp"
#include "spim/host/frame_source.hpp"
#include "spim/host/stage_meter.hpp"

namespace spim {

/// `reader`, with the bytes of samples that are asked of it counted as Stage::read. `meter` outlives it.
std::shared_ptr<FrameReader> counted_reader(std::shared_ptr<FrameReader> reader, StageMeter& meter);

/// `frames`, with loading them counted as `stage`; bytes are counted for Stage::correct only, whole frames as
/// corrected. `meter` outlives it.
std::unique_ptr<FrameSource> metered_frames(std::unique_ptr<FrameSource> frames, StageMeter& meter,
                                            Stage stage);

}  // namespace spim
