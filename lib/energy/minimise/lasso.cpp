#include "energy/minimise/lasso.h"

#include <utility>

#include "autograd/ops.h"
#include "energy/factors/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/gradient_scheme.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/proximal_step.h"
#include "tensor/solvers.h"

namespace basin {
namespace {

// A Gram matrix of 256 MiB; beyond it A'A z by two products is the better way.
constexpr Index kMostCodes = 8192;

/// value times the identity: rows of [value, 0, ..., 0], one number longer than the matrix is wide, shift by
/// one a row.
Value scaled_identity(double value, Index n, Placement placement) {
  const Value rows = concat({Tensor::full({n, 1}, value, placement), Tensor::zeros({n, n}, placement)}, 1);
  return reshape(slice(reshape(rows, {n * (n + 1)}), 0, 0, n * n), {n, n});
}

Value weighted(const Value& x, double weight) { return weight == 1.0 ? x : x * weight; }

void accumulate(Value& total, Value term) { total = total.defined() ? total + term : std::move(term); }

struct Numbers {
  Value gram, linear, constant;
};

Numbers numbers_of(const Lasso& lasso, const State& state, const Variable& z) {
  Numbers numbers;
  for (const Lasso::Decoder& decoder : lasso.decoders) {
    const Value weight = decoder.module->weight().value().detached();
    Value target = flatten(state[decoder.target]);
    if (decoder.module->bias()) target = (target - decoder.module->bias()->value()).detached();
    accumulate(numbers.gram, weighted(matmul(weight, weight, {.transpose_b = true}), decoder.weight));
    accumulate(numbers.linear, weighted(matmul(target, weight, {.transpose_b = true}), decoder.weight));
    accumulate(numbers.constant, sum_per_sample(square(target)) * (0.5 * decoder.weight));
  }
  for (const Lasso::Prediction& prediction : lasso.predictions) {
    const Value target = flatten(prediction.module->forward(state[prediction.source])).detached();
    accumulate(numbers.gram, scaled_identity(prediction.weight, z.size(), target.placement()));
    accumulate(numbers.linear, weighted(target, prediction.weight));
    accumulate(numbers.constant, sum_per_sample(square(target)) * (0.5 * prediction.weight));
  }
  return numbers;
}

bool is_descent(const Transition& transition, const Variable& z) {
  const auto* descent = dynamic_cast<const CoordinateDescent*>(&transition);
  return descent != nullptr && descent->variable() == z;
}

}  // namespace

std::optional<Lasso> recognise_lasso(const Split& split) {
  const Variable& z = split.variable();
  const auto* l1 = dynamic_cast<const L1*>(split.rough().get());
  if (l1 == nullptr || z.shape.size() != 1 || z.size() > kMostCodes) return std::nullopt;
  Lasso lasso{{}, {}, l1->lambda() * split.rough_weight(), z.domain == Domain::NonNegative};
  if (!(lasso.lambda > 0.0)) return std::nullopt;
  for (const FactorGraph::Term& term : split.smooth().terms()) {
    const auto* error = dynamic_cast<const SquaredError*>(term.factor.get());
    if (error == nullptr || term.weight < 0.0 || error->target() == error->source()) return std::nullopt;
    const double weight = term.weight * error->weight();
    if (error->target() == z) {
      lasso.predictions.push_back({error->source(), &error->module(), weight});
    } else if (const auto* linear = dynamic_cast<const Linear*>(&error->module())) {
      lasso.decoders.push_back({error->target(), linear, weight});
    } else {
      return std::nullopt;
    }
  }
  if (lasso.decoders.empty()) return std::nullopt;
  return lasso;
}

std::optional<Solution> solve_lasso(const Inference& inference) {
  if (inference.stop == Stop::StepSize) return std::nullopt;
  const Variable& z = inference.split.variable();
  const bool coordinates = is_descent(inference.transition, z);
  const std::optional<ProximalScheme> scheme = gradient_scheme(inference.transition, z);
  const std::optional<Lasso> lasso = coordinates || scheme ? recognise_lasso(inference.split) : std::nullopt;
  Solvers* table = solvers(inference.state.placement().device);
  if (!lasso || table == nullptr) return std::nullopt;

  const Numbers numbers = numbers_of(*lasso, inference.state, z);
  const Tensor& start = inference.state[z].tensor();
  const Placement placement = numbers.linear.placement();
  if (start.placement() != placement) return std::nullopt;
  Solution solution;
  solution.z = inference.owned ? start : start.clone();
  const Index rows = start.dim(0);
  solution.measure = Tensor({rows}, {Dtype::F64, placement.device});
  solution.steps = Tensor({rows}, {Dtype::F64, placement.device});
  solution.rule = "lasso";

  LassoCall call{.dtype = placement.dtype, .rows = rows, .codes = z.size()};
  call.gram = numbers.gram.tensor().data();
  call.linear = numbers.linear.tensor().data();
  call.constant = numbers.constant.tensor().data();
  call.lambda = lasso->lambda;
  call.non_negative = lasso->non_negative;
  call.tolerance = inference.stop == Stop::Never ? -1.0 : inference.options.tolerance;
  call.max_steps = inference.options.max_steps;
  call.z = solution.z.data();
  call.gap = static_cast<double*>(solution.measure.data());
  call.steps = static_cast<double*>(solution.steps.data());
  if (coordinates) {
    table->lasso_descent(call);
    return solution;
  }
  call.momentum = scheme->accelerate;
  call.restart = scheme->restart;
  call.check_every = inference.options.check_every;
  call.step =
      scheme->step ? *scheme->step : lipschitz_step(inference.split, inference.state, inference.key.fold(0));
  table->lasso_gradient(call);
  return solution;
}

}  // namespace basin
