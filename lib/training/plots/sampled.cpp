#include "training/plots/sampled.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "config/article.h"
#include "tensor/error.h"
#include "training/measures/chains.h"
#include "training/measures/density.h"
#include "training/measures/made_up.h"
#include "training/plots/samples.h"

namespace basin {
namespace {

Column sequences(const StageView& view, const SequencePredictions& how, const SampledOptions& options) {
  const Index steps = options.steps > 0 ? options.steps : how.sampled_steps;
  const bool are_symbols = how.steps && how.y.domain == Domain::Categorical;
  std::vector<Value> rows;
  std::vector<std::int32_t> symbols;
  for (Index n = 0; n < options.count; ++n) {
    const Key key = view.stage.key.fold("samples").fold(static_cast<std::uint64_t>(n));
    if (are_symbols) {
      make_up_symbols(view.stage, how, steps, key,
                      [&](std::size_t symbol) { symbols.push_back(static_cast<std::int32_t>(symbol)); });
    } else {
      const Tensor made = made_up(view.stage, how, steps, key);
      rows.push_back(reshape(Value(made), {1, made.dim(0), made.dim(1)}));
    }
  }
  if (are_symbols) return integer_column("sample", {steps}, std::move(symbols), how.y.shape.back());
  return real_column("sample", concat(rows, 0).tensor());
}

/// The energy of a stage that is one of samples alone; null where there is none.
const SampleEnergy* energy_alone(const Stage& stage) {
  const auto* of = stage.facets.get<SampleEnergy>();
  return of != nullptr && stage.graph.variables() == Block{of->x} ? of : nullptr;
}

/// The ends of chains of all samples at once.
Samples ends_of_chains(const StageView& view, const Variable& x, const SampledOptions& options) {
  const Stage& stage = view.stage;
  if (options.label || options.means) {
    throw Error(fmt::format("[sample] expected a stage with {} for {}, received {}; leave it out",
                            options.label ? "labels" : "hidden units", options.label ? "a label" : "means",
                            with_article(stage.kind)));
  }
  const auto* asked = stage.facets.get<ChainsRun>();
  ChainsRun how = asked != nullptr ? *asked : ChainsRun{.transition = suiting_transition()};
  if (options.steps > 0) how.burn_in = options.steps;
  how.chains = options.count;
  const Key key = stage.key.fold("samples");
  const State end =
      iterate(*transition_of(stage, how), stage.graph, noise_of(stage.graph, how.chains, key.fold("start")),
              how.burn_in, key.fold("moves"));
  return {real_column("sample", on_host(end[x].tensor()))};
}

}  // namespace

Samples sampled(const StageView& view, const SampledOptions& options) {
  const auto* own = view.stage.facets.get<SequencePredictions>();
  if (own != nullptr && (own->steps || own->made_up) && !options.label)
    return {sequences(view, *own, options)};
  const SampleEnergy* alone = energy_alone(view.stage);
  if (alone != nullptr && view.stage.facets.get<Sampling>() == nullptr)
    return ends_of_chains(view, alone->x, options);
  Sampling how = need<Sampling>(view.stage, "sample");
  how.chains = options.count;
  if (options.steps > 0) how.steps = options.steps;
  std::vector<std::int32_t> clamped;
  if (options.label)
    clamped.assign(static_cast<std::size_t>(how.chains), static_cast<std::int32_t>(*options.label));
  Fantasies made = fantasies(view, how, options.means ? Fantasy::Means : Fantasy::States, clamped);
  Samples samples{real_column("sample", on_host(made.samples))};
  if (how.label) samples.add(integer_column("label", {}, std::move(made.labels), how.label->size()));
  return samples;
}

}  // namespace basin
