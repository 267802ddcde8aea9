#include "training/plots/sampled.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "tensor/error.h"
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

}  // namespace

Samples sampled(const StageView& view, const SampledOptions& options) {
  const auto* own = view.stage.facets.get<SequencePredictions>();
  if (own != nullptr && (own->steps || own->made_up) && !options.label)
    return {sequences(view, *own, options)};
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
