#include "modules/activations.h"

#include <algorithm>
#include <limits>

namespace basin {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMostFeatures = 1e9;

}  // namespace

const std::vector<ActivationRow>& activations() {
  using enum Activation::Kind;
  static const ActivationRow::Argument kChannels{"features", 1, 1, kMostFeatures, true};
  static const std::vector<ActivationRow> all = {
      {Identity, "identity", {}, "x"},
      {Step, "step", {}, "1 for x > 0, else 0; slope 0"},
      {Sigmoid, "sigmoid", {}, "1 / (1 + e^-x), the logistic function"},
      {Tanh, "tanh", {}, "tanh x"},
      {Arctan, "arctan", {}, "arctan x"},
      {Arsinh, "arsinh", {}, "log(x + sqrt(1 + x^2))"},
      {Softsign, "softsign", {}, "x / (1 + |x|)"},
      {Isru, "isru", {{"a", 1.0, 0.0, kInfinity}}, "x / sqrt(1 + a x^2) (Carlile et al. 2017)"},
      {Isrlu, "isrlu", {{"a", 1.0, 0.0, kInfinity}}, "x for x > 0, else x / sqrt(1 + a x^2)"},
      {Sqnl, "sqnl", {}, "c - c |c| / 4, c = x clamped to [-2, 2] (Wuraola and Patel 2018)"},
      {Relu, "relu", {}, "max(0, x); slope 0 at 0"},
      {Brelu, "brelu", {{"a", 1.0, 0.0, kInfinity}}, "min(max(0, x), a); slope 0 at 0, 1/2 at a"},
      {Leaky, "leaky", {{"a", 0.01, -kInfinity, kInfinity}}, "x for x > 0, else a x; slope a at 0"},
      {Prelu,
       "prelu",
       {{"a", 0.25, -kInfinity, kInfinity}, kChannels},
       "x for x > 0, else a x, a trained, one or one a feature (He et al. 2015)"},
      {Rrelu,
       "rrelu",
       {{"low", 0.125, -kInfinity, kInfinity}, {"high", 1.0 / 3.0, -kInfinity, kInfinity}},
       "x for x > 0, else a x, a uniform in [low, high), their mean without a key (Xu et al. 2015)"},
      {Elu, "elu", {{"a", 1.0, -kInfinity, kInfinity}}, "x for x > 0, else a (e^x - 1); slope a at 0"},
      {Selu, "selu", {}, "1.0507 elu(x) with a = 1.6733 (Klambauer et al. 2017)"},
      {Softplus, "softplus", {}, "log(1 + e^x)"},
      {Silu, "silu", {}, "x / (1 + e^-x)"},
      {Gelu, "gelu", {}, "x Phi(x), Phi of the standard normal, exactly"},
      {Shrink, "shrink", {{"a", 0.5, 0.0, kInfinity}}, "sign(x) max(0, |x| - a); slope 0 where |x| = a"},
      {LearnedShrink,
       "learned_shrink",
       {{"a", 0.5, 0.0, kInfinity}, kChannels},
       "sign(x) max(0, |x| - |a|), a trained, one or one a feature"},
      {Abs, "abs", {}, "|x|; slope 0 at 0"},
      {WinnerTakeAll,
       "winner_take_all",
       {{"k", {}, 1, kMostFeatures, true}, {"group", 0, 0, kMostFeatures, true}},
       "x where it is one of the k largest of its group of neighbouring features, else 0; without a group: "
       "of its sample's numbers; of equals the first"},
      {Maxout,
       "maxout",
       {{"group", {}, 1, kMostFeatures, true}},
       "the largest of each group of neighbouring features, C / group features; ties share the slope "
       "(Goodfellow et al. 2013)"},
  };
  return all;
}

const ActivationRow* find_activation(std::string_view name) {
  const auto& all = activations();
  const auto row = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
  return row == all.end() ? nullptr : &*row;
}

}  // namespace basin
