#include "energy/objectives/sequence_energy.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kIds = "stream.ids";

std::string name_of(const Parameter& owner) { return "stream." + owner.name(); }

/// 1 for rows whose sample follows the one of the batch before, [N, 1]; undefined where all do.
Value following(const State& batch, const Tensor& before, Placement placement) {
  const std::vector<double> ids = batch.context().ids.values(), last = before.values();
  std::vector<double> follows;
  for (std::size_t n = 0; n < ids.size(); ++n) follows.push_back(ids[n] == last[n] + 1.0 ? 1.0 : 0.0);
  if (std::ranges::find(follows, 0.0) == follows.end()) return {};
  return Tensor::from(follows, {static_cast<Index>(follows.size()), 1}, placement);
}

}  // namespace

double step_count(const FactorGraph& graph, const State& batch) {
  if (batch.context().lengths.defined()) {
    const std::vector<double> lengths = batch.context().lengths.values();
    return std::accumulate(lengths.begin(), lengths.end(), 0.0);
  }
  for (const Variable& variable : graph.sequences()) {
    if (batch.has(variable)) return static_cast<double>(batch[variable].dim(0) * batch[variable].dim(1));
  }
  throw Error(
      "[sequence_energy] expected a graph with a variable of a free extent, or a factor that ends one, "
      "received none; make the extent of time 0");
}

State continued(const FactorGraph& graph, const State& batch, Carry& carry) {
  Context context = batch.context();
  if (!context.ids.defined()) {
    throw Error(
        "[sequence_energy] expected the numbers of samples (Context::ids), by which it knows which follows "
        "which, received none; take batches of a Source, or do not carry the state");
  }
  context.streams = std::make_shared<Streams>();
  const Tensor before = recall(carry, kIds, context.ids.shape(), context.ids.placement());
  for (const Parameter& parameter : graph.parameters()) {
    const auto kept = carry.find(name_of(parameter));
    if (kept == carry.end() || !before.defined()) continue;
    const Value state = recall(carry, kept->first, kept->second.shape(), parameter.tensor().placement());
    const Value follows = following(batch, before, state.placement());
    context.streams->starts.push_back({parameter, (follows.defined() ? state * follows : state).tensor()});
  }
  return State(batch).in(std::move(context));
}

void keep_streams(const FactorGraph& graph, const State& batch, Carry& carry) {
  const std::vector<Parameter> parameters = graph.parameters();
  for (const StreamState& end : batch.context().streams->ends)
    carry[name_of(parameters[graph.index_of(end.owner)])] = end.state;
  carry[kIds] = batch.context().ids.clone();  // the batch's own is overwritten by the next
}

Evaluation SequenceEnergy::evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key /*key*/,
                                    EvaluateOptions options) const {
  const double steps = step_count(graph, batch);
  const State at = options_.carried ? continued(graph, batch, carry) : batch;
  const Value loss = sum(graph.energy(observed(at, options))) * (1.0 / steps);
  if (options_.carried) keep_streams(graph, at, carry);
  return differentiate(loss, graph, static_cast<Index>(steps), options);
}

}  // namespace basin
