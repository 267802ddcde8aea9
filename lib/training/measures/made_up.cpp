#include "training/measures/made_up.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr Placement kHost = {Dtype::F64, Device::Cpu};

/// Gives the model its own steps one after another: next(t, scores of step t) is that step, [size].
template <class Next>
void go_on(const Stage& stage, std::vector<double> step, Index steps, Next next) {
  const Shape one = {1, 1, static_cast<Index>(step.size())};
  Context context;
  context.streams = std::make_shared<Streams>();
  for (Index t = 0; t < steps; ++t) {
    const Value x = Tensor::from(step, one, stage.placement);
    const Value scores = reshape(stage.encoder->forward(x, context), {1, -1}).detached();
    context.streams->starts = std::exchange(context.streams->ends, {});
    step = next(static_cast<std::uint64_t>(t), scores);
  }
}

/// The symbol that a uniform number draws.
std::size_t drawn_symbol(const std::vector<double>& p, double left) {
  std::size_t symbol = 0;
  for (; symbol + 1 < p.size() && left >= p[symbol]; ++symbol) left -= p[symbol];
  return symbol;
}

}  // namespace

Tensor made_up(const Stage& stage, const SequencePredictions& how, Index steps, Key key) {
  if (how.made_up) return how.made_up(steps, key);
  if (!how.makes_up_frames())
    throw Error("[made_up] expected a model of the next bits of its own sequences, received another");
  const Index size = how.x.shape[1];
  const Tensor frames({steps, size}, {Dtype::F32, Device::Cpu});
  go_on(stage, std::vector<double>(static_cast<std::size_t>(size), 0.0), steps,
        [&](std::uint64_t t, const Value& scores) {
          const Tensor p = sigmoid(scores).tensor().to(kHost);
          const std::vector<double> frame = bernoulli(key, p, t * static_cast<std::uint64_t>(size)).values();
          std::ranges::transform(frame, frames.host<float>() + static_cast<Index>(t) * size,
                                 [](double bit) { return static_cast<float>(bit); });
          return frame;
        });
  return frames;
}

void make_up_symbols(const Stage& stage, const SequencePredictions& how, Index steps, Key key,
                     const std::function<void(std::size_t symbol)>& tell) {
  if (!how.steps || how.y.domain != Domain::Categorical || how.x.shape[1] < how.y.shape[1])
    throw Error("[made_up] expected a model of the next symbol among those it reads, received another");
  std::vector<double> first(static_cast<std::size_t>(how.x.shape[1]), 0.0);
  first[0] = 1.0;
  go_on(stage, first, steps, [&](std::uint64_t t, const Value& scores) {
    const std::size_t symbol =
        drawn_symbol(softmax(scores).tensor().values(), uniform(key, {1}, kHost, t).item());
    tell(symbol);
    std::vector<double> one(first.size(), 0.0);
    one[symbol] = 1.0;
    return one;
  });
}

}  // namespace basin
