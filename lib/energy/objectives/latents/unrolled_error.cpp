#include "energy/objectives/latents/unrolled_error.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

UnrolledError::UnrolledError(Variable target, std::shared_ptr<const Unrolled> net, Variable source,
                             UnrolledErrorOptions options)
    : target_(std::move(target)),
      net_(std::move(net)),
      source_(std::move(source)),
      options_(std::move(options)) {
  if (net_ == nullptr) throw Error("[unrolled_error] expected a network, received a null pointer");
  if (target_.size() != net_->to().size() || source_.size() != net_->from().size()) {
    throw Error(
        fmt::format("[unrolled_error] expected a target of {} numbers and a source of {}, received {} and {}",
                    net_->to().size(), net_->from().size(), target_.size(), source_.size()));
  }
  if (options_.depths.empty()) {
    options_.depths.resize(static_cast<std::size_t>(net_->steps()));
    std::iota(options_.depths.begin(), options_.depths.end(), Index{1});
  }
  for (const Index depth : options_.depths) {
    if (depth < 1 || depth > net_->steps()) {
      throw Error(
          fmt::format("[unrolled_error] expected depths from 1 to {}, received {}", net_->steps(), depth));
    }
  }
  if (!(options_.floor > 0.0))
    throw Error(fmt::format("[unrolled_error] expected a floor > 0, received {}", options_.floor));
}

Evaluation UnrolledError::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/, Key key,
                                   EvaluateOptions options) const {
  if (options.reduce && options_.total) {
    throw Error(
        "[unrolled_error] expected whole batches for the error of a total, received a slice; switch `total` "
        "or EvaluateOptions::reduce off");
  }
  const State state = options_.prepare ? options_.prepare(batch, key) : batch;
  const Value target = flatten(state[target_]).detached();
  const std::vector<Value> codes = net_->codes(state[source_]);
  // A target of zeros has no scale of its own, an error of 0 no logarithm.
  const Value scale = options_.total ? sum(square(target)) + 1e-30 : sum_per_sample(square(target)) + 1e-12;
  Value loss;
  for (const Index depth : options_.depths) {
    const Value errors = sum_per_sample(square(flatten(codes[static_cast<std::size_t>(depth - 1)]) - target));
    const Value part =
        options_.total ? log(sum(errors) / scale + 1e-30) : log(errors / scale + options_.floor);
    loss = loss.defined() ? loss + part : part;
  }
  return differentiate(options_.total ? loss : mean(loss), graph, batch.batch(), options);
}

}  // namespace basin
