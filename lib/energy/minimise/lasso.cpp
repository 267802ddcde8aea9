#include <utility>

#include "autograd/ops.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/rule.h"
#include "energy/sample_ops.h"
#include "modules/linear.h"
#include "tensor/solvers.h"

namespace basin {
namespace {

// A Gram matrix of 256 MiB; beyond it A'A z by two products is the better way.
constexpr Index kMostCodes = 8192;

Value weighted(const Value& x, double weight) { return weight == 1.0 ? x : x * weight; }

void accumulate(Value& total, Value term) { total = total.defined() ? total + term : std::move(term); }

struct Numbers {
  Value gram, linear, constant;
};

Numbers numbers_of(const Lasso& lasso, const State& state, const Variable& z) {
  Numbers numbers;
  for (const Lasso::Term& decoder : lasso.decoders) {
    const auto& linear = static_cast<const Linear&>(*decoder.module);
    const Value weight = linear.weight().value().detached();
    Value target = flatten(state[decoder.other]);
    if (linear.bias()) target = (target - linear.bias()->value()).detached();
    accumulate(numbers.gram, weighted(matmul(weight, weight, {.transpose_b = true}), decoder.weight));
    accumulate(numbers.linear, weighted(matmul(target, weight, {.transpose_b = true}), decoder.weight));
    accumulate(numbers.constant, sum_per_sample(square(target)) * (0.5 * decoder.weight));
  }
  for (const Lasso::Term& prediction : lasso.predictions) {
    const Value target = flatten(prediction.module->forward(state[prediction.other])).detached();
    accumulate(numbers.gram, weighted(identity(z.size(), target.placement()), prediction.weight));
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
  call.non_negative = z.domain == Domain::NonNegative;
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

std::optional<InferenceRule> lasso_rule(const Inference& inference) {
  Solvers* kernels = solvers(inference.placement.device);
  const Variable& z = inference.split.variable();
  const bool known = inference.scheme() || inference.transition.coordinate() == z;
  if (inference.stop == Stop::StepSize || !known || kernels == nullptr) return std::nullopt;
  if (!inference.scheme() && !kernels->has_lasso_descent()) return std::nullopt;
  const std::optional<Lasso> lasso = recognise_lasso(inference.split);
  if (!lasso || !(lasso->lambda > 0.0) || z.shape.size() != 1 || z.size() > kMostCodes) return std::nullopt;
  for (const Lasso::Term& decoder : lasso->decoders) {
    const auto* linear = dynamic_cast<const Linear*>(decoder.module);
    if (linear == nullptr || linear->weight().tensor().placement() != inference.placement)
      return std::nullopt;
  }
  return InferenceRule{"lasso", [&inference, lasso = *lasso, kernels](const Start& start) {
                         return solve(inference, lasso, *kernels, start);
                       }};
}

}  // namespace basin
