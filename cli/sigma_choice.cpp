#include "sigma_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "spim/host/instances.hpp"
#include "spim/host/stripe_measure.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

/// What the destriper is given of `image`.
OwnedImage<float> prepared(Session& session, const OwnedImage<std::uint16_t>& image,
                           CorrectionOptions options) {
  options.flat.clear();
  OwnedImage<float> result(image.rows, image.columns);
  std::ranges::copy(image.samples, result.samples.begin());
  Correctors(session, {}, options).for_shape(image.rows, image.columns)->apply(result.view());
  return result;
}

/// Standard deviation of the factor by which stripes change the light, from a mean square of logarithms.
std::string percent(double mean_square) {
  return fmt::format("{:.2f} %", 100 * std::sqrt(mean_square));
}

}  // namespace

void choose_sigma_for(Session& session, const OwnedImage<std::uint16_t>& image, const std::string& name,
                      const CorrectionOptions& options, Selections& plugins) {
  const OwnedImage<float> frame = prepared(session, image, options);
  const auto direction = plugins.destripe.options.find("stripe-direction");
  const bool vertical = direction != plugins.destripe.options.end() && direction->second == "vertical";
  const BandwidthChoice choice = choose_bandwidth(
      frame.view(), vertical ? StripeDirection::vertical : StripeDirection::horizontal, [&](double sigma) {
        Selection selection = plugins.destripe;
        selection.options["sigma1"] = selection.options["sigma2"] = format_number(sigma);
        return create_destriper(session.registry(), session.host(), selection);
      });
  for (const BandwidthTrial& trial : choice.trials)
    session.log(LogLevel::info, fmt::format("sigma {}: stripes left {}, lost beside them {}", trial.sigma,
                                            percent(trial.left), percent(trial.lost)));
  if (choice.sigma == 0)
    throw Error(fmt::format(
        "{}: stripes of {} of the light do not stand out enough to be filtered without losing more; "
        "give --sigma1 and --sigma2 yourself, or do not destripe",
        name, percent(choice.before.stripes)));
  plugins.destripe.options["sigma1"] = plugins.destripe.options["sigma2"] = format_number(choice.sigma);
  const auto chosen = std::ranges::find(choice.trials, choice.sigma, &BandwidthTrial::sigma);
  if (!session.options().silent)
    fmt::print(
        "{}: stripes of {} of the light; chose --sigma1 {} --sigma2 {}, which leaves {} and takes {} beside "
        "the stripes\n",
        name, percent(choice.before.stripes), choice.sigma, choice.sigma, percent(chosen->left),
        percent(chosen->lost));
}

}  // namespace spim::cli
