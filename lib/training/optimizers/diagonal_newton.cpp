#include "training/optimizers/diagonal_newton.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {

DiagonalNewton::DiagonalNewton(DiagonalNewtonOptions options)
    : Optimizer("diagonal_newton", options.rates, options.restraints), options_(std::move(options)) {
  const auto& o = options_;
  if (!(o.damping > 0.0 && o.keep >= 0.0 && o.keep < 1.0 && o.every >= 1 && o.distance > 0.0)) {
    throw Error(
        fmt::format("[diagonal_newton] expected damping, distance > 0, keep in [0, 1) and every >= 1, "
                    "received {}, {}, {} and {}",
                    o.damping, o.distance, o.keep, o.every));
  }
}

void DiagonalNewton::update(const std::vector<Moving>& moving, const Position& position,
                            const Lookout& lookout) {
  const Index before = count_up(state_) - 1;
  rate_ = options_.learning_rate(position);
  if (before % options_.every != 0) return Optimizer::update(moving, position, lookout);
  std::vector<Moving> kept = moving;  // evaluations to come may overwrite what gradients refer to
  for (Moving& each : kept) {
    const Tensor& p = each.parameter.tensor();
    const Tensor& own = scratch_.get("own." + each.parameter.name(), p.shape(), p.placement());
    each.gradient.accumulate(own, 1.0, 0.0);
    each.gradient = Gradient(own);
  }
  look(kept, lookout, before / options_.every);
  Optimizer::update(kept, position, lookout);
}

void DiagonalNewton::look(const std::vector<Moving>& moving, const Lookout& lookout, Index number) {
  const Key key = options_.key.fold(static_cast<std::uint64_t>(number));
  const double e = options_.distance;
  const auto vector = [&](const char* what, const Moving& each) -> const Tensor& {
    const Tensor& p = each.parameter.tensor();
    return scratch_.get(what + each.parameter.name(), p.shape(), p.placement());
  };
  const auto axpby = [](double alpha, const Tensor& x, double beta, const Tensor& y) {
    backend(y.device()).axpby(y.dtype(), alpha, x.data(), beta, y.data(), y.size());
  };
  for (const Moving& each : moving) {
    const Tensor &signs = vector("signs.", each), &half = scratch_.get("half", {1}, signs.placement());
    half.fill(0.5);
    Backend& kernels = backend(signs.device());
    kernels.uniform(signs.dtype(), key.fold(each.parameter.name()).bits(), 0, signs.data(), signs.size());
    kernels.binary(Binary::Sub, signs.dtype(), signs.data(), {1}, half.data(), {0}, signs.data(),
                   {signs.size()});
    kernels.unary(Unary::Sign, signs.dtype(), signs.data(), signs.data(), signs.size());
    vector("start.", each).copy_from(each.parameter.tensor());
    vector("slope.", each).fill(0.0);
  }
  for (const double side : std::array{1.0, -1.0}) {
    for (const Moving& each : moving) {
      const Tensor& p = each.parameter.tensor();
      p.copy_from(vector("start.", each));
      axpby(side * e, vector("signs.", each), 1.0, p);
    }
    const Evaluation found = lookout.evaluate();
    for (const Moving& each : moving)
      found.gradients[each.index].accumulate(vector("slope.", each), side / (2.0 * e), 1.0);
  }
  const double share = (1.0 - options_.keep) / (1.0 - std::pow(options_.keep, number + 1));
  for (const Moving& each : moving) {
    const Tensor& p = each.parameter.tensor();
    p.copy_from(vector("start.", each));
    const Tensor &slope = vector("slope.", each), &signs = vector("signs.", each);
    const Tensor& h = state_like(state_, "curvature." + each.parameter.name(), p);
    const Tensor& square = state_like(state_, "square." + each.parameter.name(), p);
    Backend& kernels = backend(p.device());
    kernels.binary(Binary::Mul, p.dtype(), slope.data(), {1}, signs.data(), {1}, slope.data(), {p.size()});
    axpby(share, slope, 1.0 - share, h);
    kernels.unary(Unary::Square, p.dtype(), h.data(), square.data(), p.size());
  }
}

void DiagonalNewton::move(const Parameter& parameter, const Gradient& gradient, double factor) {
  const Tensor& p = parameter.tensor();
  const Tensor& square = state_like(state_, "square." + parameter.name(), p);
  backend(p.device())
      .adaptive({.dtype = p.dtype(),
                 .n = p.size(),
                 .gradient = dense(parameter, gradient).data(),
                 .square_keep = 1.0,
                 .square_share = 0.0,
                 .rate = factor * rate_,
                 .epsilon = options_.damping,
                 .square = square.data(),
                 .parameter = p.data()});
}

}  // namespace basin
