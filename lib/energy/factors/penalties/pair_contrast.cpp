#include "energy/factors/penalties/pair_contrast.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

PairContrast::PairContrast(Variable a, Variable b, Variable same, std::shared_ptr<const Module> g,
                           double margin)
    : a_(std::move(a)), b_(std::move(b)), same_(std::move(same)), g_(std::move(g)), margin_(margin) {
  if (a_.shape != b_.shape || same_.size() != 1 || same_.domain != Domain::Binary) {
    throw Error(
        fmt::format("[{}] expected two variables of one shape and one binary number, received {}, {} and {} "
                    "numbers of domain {}",
                    name(), to_string(a_.shape), to_string(b_.shape), same_.size(), to_string(same_.domain)));
  }
  if (!(margin_ > 0.0 && std::isfinite(margin_)))
    throw Error(fmt::format("[{}] expected a margin above 0, received {}", name(), margin_));
}

std::string PairContrast::name() const {
  return "PairContrast(" + a_.name + ", " + b_.name + ", " + same_.name + ")";
}

Value PairContrast::energy(const State& state) const {
  const Value of_a = g_->forward(state[a_], state.context().fold("a")),
              of_b = g_->forward(state[b_], state.context().fold("b"));
  const Value squares = sum_per_sample(square(flatten(of_a) - flatten(of_b)));
  const Value same = reshape(state[same_], {-1});
  const Value short_of_margin = relu(margin_ - sqrt(squares + 1e-12));
  return 0.5 * (same * squares + (1.0 - same) * square(short_of_margin));
}

}  // namespace basin
