#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "training/health/checks.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kSamples = 64;  // or as many as a batch has

}  // namespace

std::string check_code_variance(const HealthView& at, const HealthOptions& options) {
  const Stage& stage = at.view.stage;
  // Codes of idle units are one by that: it is said of the units.
  const bool are_idle = options.idle_units > 0.0 && !check_idle_units(at, options).empty();
  if (!stage.encoder || are_idle) return "";
  const Source all = stage_means(stage, at.view.data().train);
  if (all.count() < 2) return "";
  const State batch = samples_between(all, 0, std::min({all.count(), kSamples, std::max<Index>(2, at.batch)}),
                                      stage.key.fold("health").fold("codes"));
  const Context context{.first_row = 0, .lengths = batch.context().lengths};
  const Value codes = flatten(stage.encoder->forward(batch[stage.inputs.at(0).variable], context).detached());
  const double size = mean(square(codes)).item();
  const double varying = mean(square(codes - mean(codes, {0}, {.keep = true}))).item();
  if (!(varying <= options.code_variance * size)) return "";
  return fmt::format(
      "after epoch {} {}: {}", at.history.epochs().at.back(),
      size > 0.0 ? fmt::format("all samples have nearly one code (its variance is {:.2g} of its mean square)",
                               varying / size)
                 : std::string("the codes of all samples are zero"),
      "they tell nothing of samples; see whether samples differ, lower optimizer.learning_rate where there "
      "is "
      "one, or the weight of what keeps codes small");
}

}  // namespace basin
