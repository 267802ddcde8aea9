#include "training/optimizers/lbfgs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/backend.h"
#include "tensor/error.h"
#include "training/optimizers/flat_loss.h"

namespace basin {

Lbfgs::Lbfgs(LbfgsOptions options) : Optimizer("lbfgs", options.rates), options_(std::move(options)) {
  if (options_.iterations < 1 || options_.history < 1 || !(options_.tolerance >= 0.0) ||
      !(options_.weight_decay >= 0.0)) {
    throw Error(
        fmt::format("[lbfgs] expected iterations, history >= 1 and tolerance, weight_decay >= 0, "
                    "received {}, {}, {} and {}",
                    options_.iterations, options_.history, options_.tolerance, options_.weight_decay));
  }
}

void Lbfgs::turn(const Tensor& direction, Index begin, Index end) {
  const Tensor &steps = state_.at("steps"), &changes = state_.at("changes");
  const auto row = [&](const Tensor& of, Index i) {
    const Index at = i % options_.history;
    return of.rows(at, at + 1).reshaped(direction.shape());
  };
  const auto add = [&](double scale, const Tensor& x) {
    backend(x.device()).axpby(x.dtype(), scale, x.data(), 1.0, direction.data(), x.size());
  };
  std::vector<double> alpha(static_cast<std::size_t>(end - begin)), rho = alpha;
  for (Index i = end; i-- > begin;) {
    const Tensor s = row(steps, i), y = row(changes, i);
    const auto k = static_cast<std::size_t>(i - begin);
    rho[k] = 1.0 / inner(s, y, scratch_);
    alpha[k] = rho[k] * inner(s, direction, scratch_);
    add(-alpha[k], y);
  }
  double scale = 1.0;
  if (end > begin) {
    const Tensor y = row(changes, end - 1);
    scale = 1.0 / (rho.back() * inner(y, y, scratch_));
  }
  backend(direction.device())
      .axpby(direction.dtype(), -scale, direction.data(), 0.0, direction.data(), direction.size());
  for (Index i = begin; i < end; ++i) {
    const auto k = static_cast<std::size_t>(i - begin);
    const double beta = rho[k] * inner(row(changes, i), direction, scratch_);
    add(-alpha[k] - beta, row(steps, i));
  }
}

void Lbfgs::update(const std::vector<Moving>& moving, const Position& /*position*/, const Lookout& lookout) {
  FlatLoss loss(name(), moving, lookout, options_.weight_decay, scratch_);
  if (loss.size() == 0) return;
  const Index kept = options_.history;
  const Tensor &x = loss.vector("x"), &g = loss.vector("gradient"), &direction = loss.vector("direction"),
               &old = loss.vector("old gradient");
  const Tensor& steps = state_of(state_, "steps", {kept, loss.size()}, loss.placement());
  const Tensor& changes = state_of(state_, "changes", {kept, loss.size()}, loss.placement());
  const Tensor& count = state_of(state_, "count", {1}, {Dtype::F64, Device::Cpu});
  const auto axpby = [&](double alpha, const Tensor& a, double beta, const Tensor& y) {
    backend(y.device()).axpby(y.dtype(), alpha, a.data(), beta, y.data(), y.size());
  };

  Index pairs = static_cast<Index>(count.item());
  double value = loss.begin(x, g);
  for (Index iteration = 0; iteration < options_.iterations; ++iteration) {
    const double norm = std::sqrt(inner(g, g, scratch_));
    if (!(norm > options_.tolerance)) break;
    direction.copy_from(g);
    turn(direction, std::max<Index>(0, pairs - kept), pairs);
    double slope = inner(g, direction, scratch_);
    if (!(slope < 0.0)) {  // rounding has spoilt the pairs
      pairs = 0;
      axpby(-1.0, g, 0.0, direction);
      slope = -norm * norm;
    }
    old.copy_from(g);
    const double first = pairs == 0 ? std::min(1.0, 1.0 / norm) : 1.0;
    const LinePoint found = loss.search({0.0, value, slope}, first, {}, x, direction, g);
    if (found.step == 0.0) {
      if (std::exchange(pairs, 0) == 0) break;  // not even along the gradient
      continue;
    }
    value = found.value;
    const Index row = pairs % kept;
    const Tensor s = steps.rows(row, row + 1).reshaped(x.shape()),
                 y = changes.rows(row, row + 1).reshaped(x.shape());
    axpby(found.step, direction, 0.0, s);
    axpby(1.0, g, 0.0, y);
    axpby(-1.0, old, 1.0, y);
    // A pair without curvature would turn H upside down.
    const double rounding = std::numeric_limits<double>::epsilon();
    if (inner(s, y, scratch_) > rounding * inner(y, y, scratch_)) ++pairs;
  }
  count.fill(static_cast<double>(pairs));
}

}  // namespace basin
