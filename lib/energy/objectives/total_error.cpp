#include "energy/objectives/total_error.h"

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

TotalError::TotalError(std::shared_ptr<const UnrolledError> factor, MeanEnergyOptions options)
    : factor_(std::move(factor)), options_(std::move(options)) {
  if (factor_ == nullptr) throw Error("[TotalError] expected a factor, received a null pointer");
}

Evaluation TotalError::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/, Key key,
                                EvaluateOptions options) const {
  constexpr double kTiny = 1e-30;  // an error of 0 has no logarithm
  const State state = options_.prepare ? options_.prepare(batch, key) : batch;
  const Value scale = sum(square(state[factor_->target()])).detached() + kTiny;
  Value loss;
  for (const Value& error : factor_->squared_errors(state)) {
    const Value part = log(sum(error) / scale + kTiny);
    loss = loss.defined() ? loss + part : part;
  }
  return differentiate(loss, graph, batch.batch(), options);
}

}  // namespace basin
