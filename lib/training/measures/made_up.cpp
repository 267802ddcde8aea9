#include "training/measures/made_up.h"

#include <memory>
#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr Placement kHost = {Dtype::F64, Device::Cpu};

/// The symbol that a uniform number draws, one-hot among `size`.
std::vector<double> drawn_symbol(const std::vector<double>& p, double left, Index size) {
  std::size_t symbol = 0;
  for (; symbol + 1 < p.size() && left >= p[symbol]; ++symbol) left -= p[symbol];
  std::vector<double> one(static_cast<std::size_t>(size), 0.0);
  one[symbol] = 1.0;
  return one;
}

}  // namespace

Tensor made_up(const Stage& stage, const SequencePredictions& how, Index steps, Key key) {
  const bool is_text = how.steps && how.y.domain == Domain::Categorical;
  const bool is_bits = how.steps && how.y.domain == Domain::Binary && how.x == how.y;
  if ((!is_text && !is_bits) || how.x.shape[1] < how.y.shape[1]) {
    throw Error(
        "[made_up] expected a model of the next symbol or of the next bits of its own sequences, received "
        "another");
  }
  const Index size = how.x.shape[1];
  std::vector<double> all, step(static_cast<std::size_t>(size), 0.0);
  if (is_text) step[0] = 1.0;
  Context context;
  context.streams = std::make_shared<Streams>();
  for (Index t = 0; t < steps; ++t) {
    const Value x = Tensor::from(step, {1, 1, size}, stage.placement);
    const Value f = reshape(stage.encoder->forward(x, context), {1, -1}).detached();
    context.streams->starts = std::exchange(context.streams->ends, {});
    const auto first = static_cast<std::uint64_t>(t);
    if (is_text) {
      step = drawn_symbol(softmax(f).tensor().values(), uniform(key, {1}, kHost, first).item(), size);
    } else {
      step = bernoulli(key, sigmoid(f).tensor().to(kHost), first * static_cast<std::uint64_t>(size)).values();
    }
    all.insert(all.end(), step.begin(), step.end());
  }
  return Tensor::from(all, {steps, size}, {Dtype::F32, Device::Cpu});
}

}  // namespace basin
