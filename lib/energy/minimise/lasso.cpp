#include "energy/minimise/lasso.h"

#include <utility>

#include "autograd/ops.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/proximal.h"
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

Solution solve(const Inference& inference, const Lasso& lasso, Solvers& kernels, const Start& start) {
  const Variable& z = inference.split.variable();
  const Numbers numbers = numbers_of(lasso, start.state, z);
  const Tensor& begin = start.state[z].tensor();
  Solution solution;
  solution.z = start.owned ? begin : begin.clone();
  const Index rows = begin.dim(0);
  solution.measure = Tensor({rows}, {Dtype::F64, begin.device()});
  solution.steps = Tensor({rows}, {Dtype::F64, begin.device()});

  LassoCall call{.dtype = begin.dtype(), .rows = rows, .codes = z.size()};
  call.gram = numbers.gram.tensor().data();
  call.linear = numbers.linear.tensor().data();
  call.constant = numbers.constant.tensor().data();
  call.lambda = lasso.lambda;
  call.non_negative = lasso.non_negative;
  call.tolerance = inference.stop == Stop::Never ? -1.0 : inference.options.tolerance;
  call.max_steps = inference.options.max_steps;
  call.z = solution.z.data();
  call.gap = static_cast<double*>(solution.measure.data());
  call.steps = static_cast<double*>(solution.steps.data());
  const std::optional<ProximalScheme> scheme = inference.scheme();
  if (!scheme) {
    kernels.lasso_descent(call);
    return solution;
  }
  call.momentum = scheme->accelerate;
  call.restart = scheme->restart;
  call.check_every = inference.options.check_every;
  call.step = scheme->step ? *scheme->step : lipschitz_step(inference.split, start.state, start.key.fold(0));
  kernels.lasso_gradient(call);
  return solution;
}

}  // namespace

std::optional<Lasso> recognise_lasso(const Split& split) {
  const Variable& z = split.variable();
  const double lambda = split.l1_weight().value_or(0.0);
  const std::vector<TermOf<SquaredError>> errors = split.smooth().factors<SquaredError>();
  if (!(lambda > 0.0) || z.shape.size() != 1 || z.size() > kMostCodes ||
      errors.size() != split.smooth().terms().size())
    return std::nullopt;
  Lasso lasso{{}, {}, lambda, z.domain == Domain::NonNegative};
  for (const auto& [error, term_weight] : errors) {
    if (term_weight < 0.0 || error->target() == error->source()) return std::nullopt;
    const double weight = term_weight * error->weight();
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

std::optional<InferenceRule> lasso_rule(const Inference& inference) {
  Solvers* kernels = solvers(inference.placement.device);
  const bool known = inference.scheme() || inference.transition.coordinate() == inference.split.variable();
  if (inference.stop == Stop::StepSize || !known || kernels == nullptr) return std::nullopt;
  const std::optional<Lasso> lasso = recognise_lasso(inference.split);
  if (!lasso || lasso->decoders.front().module->weight().tensor().placement() != inference.placement)
    return std::nullopt;
  return InferenceRule{"lasso", [&inference, lasso = *lasso, kernels](const Start& start) {
                         return solve(inference, lasso, *kernels, start);
                       }};
}

}  // namespace basin
