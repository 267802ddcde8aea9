#include "training/optimizers/flat_loss.h"

#include <fmt/format.h>

#include <utility>

#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {

double inner(const Tensor& a, const Tensor& b, Scratch& scratch) {
  const Tensor& sum = scratch.get("inner", {1}, {Dtype::F64, a.device()});
  sum.fill(0.0);
  backend(a.device()).dot(a.dtype(), a.data(), b.data(), a.size(), static_cast<double*>(sum.data()));
  return sum.item();
}

FlatLoss::FlatLoss(const std::string& who, const std::vector<Moving>& moving, const Lookout& lookout,
                   double l2, Scratch& scratch)
    : moving_(moving), lookout_(lookout), l2_(l2), scratch_(scratch) {
  for (const Moving& each : moving_) {
    const Tensor& p = each.parameter.tensor();
    if (size_ == 0) placement_ = p.placement();
    if (p.placement() != placement_ || each.factor != 1.0) {
      throw Error(
          fmt::format("[{}] expected parameters of one precision and device, with rates of 0 or 1, received "
                      "{} with rate {}; change it or take another optimizer",
                      who, each.parameter.name(), each.factor));
    }
    size_ += p.size();
  }
}

double FlatLoss::begin(const Tensor& x, const Tensor& gradient) {
  std::vector<Gradient> gradients;
  Index at = 0;
  for (const Moving& each : moving_) {
    const Tensor& p = each.parameter.tensor();
    x.rows(at, at + p.size()).reshaped(p.shape()).copy_from(p);
    at += p.size();
    gradients.push_back(each.gradient);
  }
  return lookout_.loss + penalised(gradients, gradient);
}

double FlatLoss::evaluate(const Tensor& x, const Tensor& gradient) {
  Index at = 0;
  for (const Moving& each : moving_) {
    const Tensor& p = each.parameter.tensor();
    p.copy_from(x.rows(at, at + p.size()).reshaped(p.shape()));
    at += p.size();
  }
  Evaluation found = lookout_.evaluate();
  std::vector<Gradient> gradients;
  for (const Moving& each : moving_) gradients.push_back(std::move(found.gradients[each.index]));
  return found.metrics.at("loss") + penalised(gradients, gradient);
}

double FlatLoss::penalised(const std::vector<Gradient>& gradients, const Tensor& gradient) {
  double penalty = 0.0;
  Index at = 0;
  for (std::size_t i = 0; i < moving_.size(); ++i) {
    const Tensor& p = moving_[i].parameter.tensor();
    const Tensor g = gradient.rows(at, at + p.size()).reshaped(p.shape());
    at += p.size();
    gradients[i].accumulate(g, 1.0, 0.0);
    if (l2_ == 0.0 || p.rank() < 2) continue;
    backend(p.device()).axpby(p.dtype(), l2_, p.data(), 1.0, g.data(), p.size());
    penalty += 0.5 * l2_ * inner(p, p, scratch_);
  }
  return penalty;
}

LinePoint FlatLoss::search(const LinePoint& start, double first, const WolfeOptions& options, const Tensor& x,
                           const Tensor& direction, const Tensor& gradient) {
  const Tensor &trial = vector("trial"), &slopes = vector("slopes");
  double last = 0.0;
  const auto look = [&](double step) {
    last = step;
    trial.copy_from(x);
    backend(x.device()).axpby(x.dtype(), step, direction.data(), 1.0, trial.data(), size_);
    const double value = evaluate(trial, slopes);
    return LinePoint{step, value, inner(slopes, direction, scratch_)};
  };
  const LinePoint found = strong_wolfe(start, first, look, options);
  if (found.step != last) look(found.step);  // the parameters stand elsewhere
  if (found.step > 0.0) {
    x.copy_from(trial);
    gradient.copy_from(slopes);
  }
  return found;
}

}  // namespace basin
