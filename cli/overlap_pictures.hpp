#pragma once
/// Pictures of how two tiles fit, before and after an alignment.

#include <vector>

#include "spim/host/align_tiles.hpp"
#include "spim/host/alignment_report.hpp"

namespace spim::cli {

/// Planes across z and across y through the overlap of a link, where it has the most content: where the
/// link's samples are or else at a few places of the overlap. None when the tiles do not overlap. Throws
/// what opening and reading throw.
std::vector<OverlapPicture> overlap_pictures(const AlignmentResult& result, const AlignedLink& link,
                                             const TileOpener& open);

}  // namespace spim::cli
