#include "energy/objectives/contrast/kept_means.h"

#include <fmt/format.h>

#include <algorithm>

#include "energy/marginal/conditional.h"
#include "energy/marginal/conditional_expansion.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// The mean of a unit that feels nothing.
double mean_of_nothing(const Variable& variable, Placement placement) {
  const Tensor zeros = Tensor::zeros(batched(variable, 1), placement);
  const Value one = is_continuous(variable) ? Value(Tensor::full(zeros.shape(), 1.0, placement)) : Value();
  return Conditional{variable, zeros, one}.mean().tensor().values().front();
}

/// The carried means with at least so many rows, new ones those of the uniform q.
Tensor kept(Carry& carry, const std::string& name, const Variable& variable, Index samples,
            Placement placement) {
  Shape there = batched(variable, samples);
  if (const auto found = carry.find(name); found != carry.end()) there[0] = found->second.dim(0);
  const Tensor held = recall(carry, name, there, placement);
  if (held.defined() && held.dim(0) >= samples) return held;
  const Tensor larger =
      Tensor::full(batched(variable, samples), mean_of_nothing(variable, placement), placement);
  if (held.defined()) larger.rows(0, held.dim(0)).copy_from(held);
  return carry[name] = larger;
}

}  // namespace

KeptMeans::KeptMeans(const FactorGraph& graph, const MeanField& transition, const PhaseCall& call,
                     Carry& carry)
    : kept_(transition.units()), call_(call) {
  if (transition.options().updates == Updates::Sequential) kept_.erase(kept_.begin());
  const Context& context = call.start.context();
  if (!context.ids.defined()) {
    throw Error(
        "[contrast] expected the numbers of the samples in their context (ids), by which the means of mean "
        "field are kept, received none; set Context::ids or MeanFieldOptions::warm = false");
  }
  Index samples = context.samples;
  for (const double id : context.ids.values()) {
    ids_.push_back(static_cast<Index>(id));
    samples = std::max(samples, ids_.back() + 1);
  }
  for (const Variable& variable : kept_) {
    if (variable.is_free()) {
      throw Error(
          fmt::format("[contrast] expected variables of one size whose means are kept, received {} of "
                      "shape {}; set MeanFieldOptions::warm = false",
                      variable.name, to_string(variable.shape)));
    }
    means_.push_back(
        kept(carry, call.prefix + "means." + variable.name, variable, samples, graph.placement()));
  }
}

State KeptMeans::begin() const {
  State state = call_.start;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const Tensor rows(batched(kept_[i], static_cast<Index>(ids_.size())), means_[i].placement());
    for (std::size_t n = 0; n < ids_.size(); ++n) {
      const auto row = static_cast<Index>(n);
      rows.rows(row, row + 1).copy_from(means_[i].rows(ids_[n], ids_[n] + 1));
    }
    state.set(kept_[i], rows);
  }
  return state;
}

void KeptMeans::keep(const State& state) const {
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const Tensor& rows = state[kept_[i]].tensor();
    for (std::size_t n = 0; n < ids_.size(); ++n) {
      const auto row = static_cast<Index>(n);
      means_[i].rows(ids_[n], ids_[n] + 1).copy_from(rows.rows(row, row + 1));
    }
  }
}

}  // namespace basin
