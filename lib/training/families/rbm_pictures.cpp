#include "training/families/rbm_pictures.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/marginal/conditional.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample/gibbs.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

Tensor first_states(const Rbm& rbm, const Carry& carry, Index chains, Key key) {
  const auto particles = carry.find("particles." + rbm.v.name);
  if (particles != carry.end()) {
    const Source from = source(rbm.v, particles->second, rbm.graph.placement());
    std::vector<Index> rows;
    for (Index i = 0; i < chains; ++i) {
      rows.push_back(i % from.count());
    }
    return from.batch(rows, key)[rbm.v].tensor();
  }
  Shape shape = rbm.v.shape;
  shape.insert(shape.begin(), chains);
  if (rbm.v.domain == Domain::Binary) {
    return bernoulli(key, Tensor::full(shape, 0.5, rbm.graph.placement()));
  }
  const Tensor normals = normal(key, shape, rbm.graph.placement());
  return rbm.v.domain == Domain::NonNegative ? abs(Value(normals)).tensor() : normals;
}

}  // namespace

Tensor fantasies(const RbmLearner& learner, const Carry& carry) {
  const Rbm& rbm = learner.rbm();
  const Key key = learner.key().fold("samples");
  State state;
  state.set(rbm.v, first_states(rbm, carry, learner.settings().sample_chains, key.fold("start")));
  // The last sweep draws h last, so that v can be shown as the mean that h expects.
  state = gibbs(rbm.graph, BlockGibbs({{rbm.h}, {rbm.v}}), state, learner.settings().sample_steps,
                key.fold("gibbs"), learner.settings().train.fuse);
  state = BlockGibbs({{rbm.h}})(rbm.graph, state, key.fold("last"));
  return conditional(rbm.graph, {rbm.v}, state).front().mean().tensor();
}

Tensor basis(const Rbm& rbm) {
  const std::string name = rbm.v.name + "." + rbm.h.name + ".weight";
  for (const Parameter& parameter : rbm.graph.parameters()) {
    if (parameter.name() == name) {
      return transpose(parameter.value().detached(), {1, 0}).tensor();
    }
  }
  throw Error(fmt::format("[basis] expected a parameter {}, received a model without it", name));
}

}  // namespace basin
