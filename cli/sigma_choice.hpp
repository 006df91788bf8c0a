#pragma once
/// --auto: the bandwidth of the wavelet method from the stripes of an image.

#include <string>

#include "correction_options.hpp"
#include "session.hpp"
#include "spim/host/config.hpp"
#include "spim/host/owned_image.hpp"

namespace spim::cli {

/// Measures the stripes of `image`, which messages call `name`, tries bandwidths on it and puts the best one
/// into the destriper's options sigma1 and sigma2; says what was found and chosen. Throws Error when no
/// stripes stand out.
void choose_sigma_for(Session& session, const OwnedImage<std::uint16_t>& image, const std::string& name,
                      const CorrectionOptions& options, Selections& plugins);

}  // namespace spim::cli
