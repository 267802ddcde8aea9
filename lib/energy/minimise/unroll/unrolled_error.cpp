#include "energy/minimise/unroll/unrolled_error.h"

#include <fmt/format.h>

#include <numeric>

#include "autograd/ops.h"
#include "energy/factors/map.h"
#include "tensor/error.h"

namespace basin {

UnrolledError::UnrolledError(Variable target, std::shared_ptr<const Unrolled> net, Variable source,
                             UnrolledErrorOptions options)
    : target_(std::move(target)),
      net_(std::move(net)),
      source_(std::move(source)),
      options_(std::move(options)) {
  if (net_ == nullptr) throw Error(fmt::format("[{}] expected a network, received a null pointer", name()));
  if (target_.size() != net_->to().size() || source_.size() != net_->from().size()) {
    throw Error(fmt::format("[{}] expected a target of {} numbers and a source of {}, received {} and {}",
                            name(), net_->to().size(), net_->from().size(), target_.size(), source_.size()));
  }
  if (options_.depths.empty()) {
    options_.depths.resize(static_cast<std::size_t>(net_->steps()));
    std::iota(options_.depths.begin(), options_.depths.end(), Index{1});
  }
  for (const Index depth : options_.depths) {
    if (depth < 1 || depth > net_->steps()) {
      throw Error(
          fmt::format("[{}] expected depths from 1 to {}, received {}", name(), net_->steps(), depth));
    }
  }
  if (!(options_.floor > 0.0))
    throw Error(fmt::format("[{}] expected a floor > 0, received {}", name(), options_.floor));
}

Value UnrolledError::energy(const State& state) const {
  constexpr double kTiny = 1e-12;  // a target of zeros has no scale of its own
  const Value scale = sum_per_sample(square(flatten(state[target_]))) + kTiny;
  Value total;
  for (const Value& error : squared_errors(state)) {
    const Value part = log(error / scale + options_.floor);
    total = total.defined() ? total + part : part;
  }
  return total;
}

std::vector<Value> UnrolledError::squared_errors(const State& state) const {
  const Value target = flatten(state[target_]);
  const std::vector<Value> codes = net_->codes(state[source_]);
  std::vector<Value> errors;
  for (const Index depth : options_.depths) {
    errors.push_back(sum_per_sample(square(flatten(codes[static_cast<std::size_t>(depth - 1)]) - target)));
  }
  return errors;
}

std::vector<Parameter> UnrolledError::parameters() const {
  return prefixed_parameters(*net_, source_.name + "." + target_.name);
}

}  // namespace basin
