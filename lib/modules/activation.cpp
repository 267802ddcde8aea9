#include "modules/activation.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "modules/activations.h"
#include "modules/noise.h"
#include "tensor/error.h"

namespace basin {
namespace {

const ActivationRow& row_of(Activation::Kind kind) { return activations()[static_cast<std::size_t>(kind)]; }

/// The arguments given and the table's for the rest, each in its range.
std::vector<double> completed(const ActivationRow& row, std::vector<double> given) {
  if (given.size() > row.arguments.size()) {
    throw Error(fmt::format("[{}] expected at most {} arguments, received {}; leave some out", row.name,
                            row.arguments.size(), given.size()));
  }
  for (std::size_t i = 0; i < row.arguments.size(); ++i) {
    const auto& [name, fallback, least, most, is_whole] = row.arguments[i];
    if (i == given.size()) {
      if (!fallback)
        throw Error(fmt::format("[{}] expected a number for {}, received none; give it", row.name, name));
      given.push_back(*fallback);
    }
    const double value = given[i];
    if (!std::isfinite(value) || value < least || value > most || (is_whole && value != std::floor(value))) {
      throw Error(fmt::format("[{}] expected a{} {} in [{}, {}], received {}", row.name,
                              is_whole ? " whole" : " finite", name, least, most, value));
    }
  }
  return given;
}

/// x for x > 0, else slope * x: the slope's side holds at 0. Of a number the factor is a constant.
template <class Slope>
Value with_slope(const Value& x, const Slope& slope) {
  return x * (slope + (1.0 - slope) * step(x));
}

Value over_root(const Value& x, const Value& bent, double a) {
  return x * reciprocal(sqrt(1.0 + a * square(bent)));
}

Value constant_like(const Value& x, double value) { return Tensor::full({1}, value, x.placement()); }

Value clamped(const Value& x, double low, double high) {
  return minimum(maximum(x, constant_like(x, low)), constant_like(x, high));
}

/// A parameter of one number or one a feature, as it broadcasts against x.
Value along_features(const char* who, const Value& parameter, const Value& x) {
  const Index features = parameter.dim(0);
  if (features == 1) return parameter;
  if (x.rank() < 2 || x.dim(1) != features) {
    throw Error(fmt::format("[{}] expected [N, {}, ...], received {}; give as many features as x has, or 1",
                            who, features, to_string(x.shape())));
  }
  Shape shape(static_cast<std::size_t>(x.rank() - 1), 1);
  shape[0] = features;
  return reshape(parameter, std::move(shape));
}

/// [N, C / group, group, rest] of x [N, C, ...].
Value grouped(const char* who, const Value& x, Index group) {
  if (x.rank() < 2 || x.dim(1) % group != 0) {
    throw Error(fmt::format("[{}] expected features in groups of {}, received {}; change the layer before it",
                            who, group, to_string(x.shape())));
  }
  const Index rows = x.dim(0) * x.dim(1);
  return reshape(x, {x.dim(0), x.dim(1) / group, group, rows > 0 ? x.tensor().size() / rows : 0});
}

Value winner_take_all(const Value& x, Index count, Index group) {
  const Value groups =
      group == 0 ? flatten(x) : transpose(grouped("winner_take_all", x, group), {0, 1, 3, 2});
  if (count > groups.dim(-1)) {
    throw Error(fmt::format("[winner_take_all] expected k of at most {}, received {}; lower it",
                            groups.dim(-1), count));
  }
  const Value mask = largest(groups, count);
  return x * reshape(group == 0 ? mask : transpose(mask, {0, 1, 3, 2}), x.shape());
}

Value maxout(const Value& x, Index group) {
  Shape shape = x.shape();
  const Value best = max(grouped("maxout", x, group), 2);
  shape[1] /= group;
  return reshape(best, std::move(shape));
}

}  // namespace

Activation::Activation(Kind kind, std::vector<double> arguments, Placement placement)
    : kind_(kind), arguments_(completed(row_of(kind), std::move(arguments))) {
  if (kind == Kind::Prelu || kind == Kind::LearnedShrink) {
    learned_.emplace(kind == Kind::Prelu ? "slope" : "threshold",
                     Tensor::full({static_cast<Index>(arguments_[1])}, arguments_[0], placement));
  }
  if (kind == Kind::Rrelu && arguments_[0] > arguments_[1]) {
    throw Error(fmt::format("[rrelu] expected low <= high, received {} and {}; swap them", arguments_[0],
                            arguments_[1]));
  }
}

Value Activation::forward(const Value& x, const Context& context) const {
  const double a = arguments_.empty() ? 0.0 : arguments_[0];
  switch (kind_) {
    case Kind::Identity:
      return x;
    case Kind::Step:
      return step(x);
    case Kind::Sigmoid:
      return sigmoid(x);
    case Kind::Tanh:
      return tanh(x);
    case Kind::Arctan:
      return atan(x);
    case Kind::Arsinh:
      return asinh(x);
    case Kind::Softsign:
      return x / (1.0 + abs(x));
    case Kind::Isru:
      return over_root(x, x, a);
    case Kind::Isrlu:
      return over_root(x, relu(-x), a);
    case Kind::Sqnl: {
      const Value c = clamped(x, -2.0, 2.0);
      return c - 0.25 * (c * abs(c));
    }
    case Kind::Relu:
      return relu(x);
    case Kind::Brelu:
      return minimum(relu(x), constant_like(x, a));
    case Kind::Leaky:
      return with_slope(x, a);
    case Kind::Prelu:
      return with_slope(x, along_features("prelu", learned_->value(), x));
    case Kind::Rrelu: {
      const double high = arguments_[1];
      if (!context.key) return with_slope(x, 0.5 * (a + high));
      return with_slope(x, a + (high - a) * uniform_noise("rrelu", x, context));
    }
    case Kind::Elu:
      return a == 1.0 ? elu(x) : with_slope(elu(x), a);
    case Kind::Selu:
      return 1.0507009873554804934 * with_slope(elu(x), 1.6732632423543772848);
    case Kind::Softplus:
      return softplus(x);
    case Kind::Silu:
      return x * sigmoid(x);
    case Kind::Gelu:
      return x * ndtr(x);
    case Kind::Shrink:
      return shrink(x, constant_like(x, a));
    case Kind::LearnedShrink:
      return shrink(x, abs(along_features("learned_shrink", learned_->value(), x)));
    case Kind::Abs:
      return abs(x);
    case Kind::WinnerTakeAll:
      return winner_take_all(x, static_cast<Index>(a), static_cast<Index>(arguments_[1]));
    case Kind::Maxout:
      break;
  }
  return maxout(x, static_cast<Index>(a));
}

std::vector<Parameter> Activation::parameters() const {
  return learned_ ? std::vector<Parameter>{*learned_} : std::vector<Parameter>{};
}

}  // namespace basin
