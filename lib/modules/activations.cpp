#include "modules/activations.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "tensor/error.h"

namespace basin {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMostFeatures = 1e9;

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return words;
    const std::size_t length = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
}

const ActivationRow* find(std::string_view name) {
  const auto& all = activations();
  const auto row = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
  return row == all.end() ? nullptr : &*row;
}

double number(const std::string& name, std::string_view word) {
  double value = 0.0;
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (fault != std::errc() || end != word.data() + word.size())
    throw Error(fmt::format("[{}] expected numbers behind the name, received '{}'", name, word));
  return value;
}

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
       "of "
       "its sample's numbers; of equals the first"},
      {Maxout,
       "maxout",
       {{"group", {}, 1, kMostFeatures, true}},
       "the largest of each group of neighbouring features, C / group features; ties share the slope "
       "(Goodfellow et al. 2013)"},
  };
  return all;
}

bool is_activation(std::string_view text) {
  const std::vector<std::string_view> words = words_of(text);
  return !words.empty() && find(words.front()) != nullptr;
}

Activation parse_activation(std::string_view text, Placement placement) {
  const std::vector<std::string_view> words = words_of(text);
  const ActivationRow* row = words.empty() ? nullptr : find(words.front());
  if (row == nullptr) {
    std::vector<std::string> known;
    for (const ActivationRow& each : activations()) known.push_back(each.name);
    throw Error(fmt::format("[activation] expected one of {}, received '{}'", fmt::join(known, ", "), text));
  }
  std::vector<double> arguments;
  for (std::size_t i = 1; i < words.size(); ++i) arguments.push_back(number(row->name, words[i]));
  return Activation(row->kind, std::move(arguments), placement);
}

}  // namespace basin
