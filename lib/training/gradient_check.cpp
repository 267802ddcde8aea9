#include "training/gradient_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// One number of a parameter, moved in place.
class Coordinate {
 public:
  Coordinate(Tensor tensor, std::size_t at)
      : tensor_(std::move(tensor)), numbers_(tensor_.values()), at_(at) {
    own_ = numbers_[at];
  }
  ~Coordinate() { move_to(own_); }
  Coordinate(const Coordinate&) = delete;
  Coordinate& operator=(const Coordinate&) = delete;

  double own() const { return own_; }
  void move_to(double number) {
    numbers_[at_] = number;
    tensor_.copy_from(Tensor::from(numbers_, tensor_.shape(), tensor_.placement()));
  }

 private:
  Tensor tensor_;
  std::vector<double> numbers_;
  std::size_t at_;
  double own_ = 0.0;
};

/// |a - b| as far as it is more than rounding of losses of that size, and than the tolerance.
bool agree(double a, double b, double largest, double rounding, const GradientCheckOptions& options) {
  const double scale = std::max({std::abs(a), std::abs(b), 0.01 * largest});
  return std::abs(a - b) <= options.tolerance * scale + rounding;  // false of NaN
}

/// Whether differences confirm a gradient; `difference` is the central one of the first step.
bool confirms(const std::function<double()>& loss, Coordinate& x, double gradient, double largest,
              const GradientCheckOptions& options, double& difference) {
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  const double here = loss();
  for (const double shrink : {1.0, 0.1, 0.01}) {
    const double step = shrink * options.step * std::max(1.0, std::abs(x.own()));
    x.move_to(x.own() + step);
    const double above = loss();
    x.move_to(x.own() - step);
    const double below = loss();
    x.move_to(x.own());
    const double central = (above - below) / (2.0 * step), left = (here - below) / step,
                 right = (above - here) / step;
    if (shrink == 1.0) difference = central;
    // Sums of a loss are rounded some ten times.
    const double rounding = 16.0 * kEpsilon * std::max(std::abs(here), 1.0) / step;
    if (agree(gradient, central, largest, rounding, options)) return true;
    const bool is_kink = !agree(left, right, largest, 100.0 * rounding + std::sqrt(step) * largest, options);
    const double slack = options.tolerance * std::max(std::abs(left), std::abs(right)) + rounding;
    if (is_kink && gradient >= std::min(left, right) - slack && gradient <= std::max(left, right) + slack)
      return true;
  }
  return false;
}

/// The one of the largest gradient, and others.
std::vector<std::size_t> chosen(const std::vector<double>& gradient, Index count, Key key) {
  const auto largest =
      std::ranges::max_element(gradient, [](double a, double b) { return std::abs(a) < std::abs(b); });
  std::vector<std::size_t> places{static_cast<std::size_t>(largest - gradient.begin())};
  const std::vector<double> draws = uniform(key, {4 * count}, {Dtype::F64, Device::Cpu}).values();
  for (const double draw : draws) {
    const auto place =
        std::min(static_cast<std::size_t>(draw * static_cast<double>(gradient.size())), gradient.size() - 1);
    if (std::ssize(places) < count && std::ranges::find(places, place) == places.end())
      places.push_back(place);
  }
  return places;
}

GradientCheck check(const Parameter& parameter, const std::vector<double>& gradient,
                    const std::function<double()>& loss, Key key, const GradientCheckOptions& options) {
  GradientCheck found{.parameter = parameter.name()};
  for (const double number : gradient) found.largest = std::max(found.largest, std::abs(number));
  for (const std::size_t place : chosen(gradient, options.coordinates, key)) {
    double difference = 0.0;
    bool agrees = false;
    {
      Coordinate x(parameter.tensor(), place);
      agrees = confirms(loss, x, gradient[place], found.largest, options, difference);
    }
    ++found.checked;
    found.agree += agrees ? 1 : 0;
    found.worst = std::max(found.worst, std::abs(gradient[place] - difference));
    if (!agrees && found.disagrees.empty()) {
      found.disagrees =
          fmt::format("number {}: expected {:.10g} by finite differences, received the gradient {:.10g}",
                      place, difference, gradient[place]);
    }
  }
  return found;
}

}  // namespace

std::vector<GradientCheck> check_gradients(const FactorGraph& graph, const Objective& objective,
                                           std::span<const State> batches, const Carry& carry, Key key,
                                           const GradientCheckOptions& options) {
  const HeldLoss held = held_loss(objective, graph, batches, carry, key);
  if (!held.value) {
    throw Error(
        fmt::format("[gradients] expected an objective whose gradient is that of a loss, received {}: {}",
                    objective.name(), held.why_none));
  }
  std::vector<Parameter> parameters = graph.parameters();
  for (Parameter& own : objective.parameters()) parameters.push_back(std::move(own));
  Carry passing = copied(carry);
  const Evaluation evaluation = objective.evaluate_all(graph, batches, passing, key, {});
  std::vector<std::vector<double>> gradients;  // read before numbers move: they may lie in workspaces
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Gradient& gradient = evaluation.gradients[i];
    const bool is_none = !gradient.dense().defined() && gradient.products().empty();
    gradients.push_back(is_none ? std::vector<double>{}
                                : gradient.to_tensor(parameters[i].tensor().shape()).values());
  }
  std::vector<GradientCheck> checks;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    if (!parameter.is_trained()) continue;
    if (parameter.tensor().dtype() != Dtype::F64) {
      throw Error(fmt::format("[gradients] expected parameters in f64, received {} in {}", parameter.name(),
                              to_string(parameter.tensor().dtype())));
    }
    if (gradients[i].empty()) {
      checks.push_back({.parameter = parameter.name()});
      continue;
    }
    checks.push_back(
        check(parameter, gradients[i], held.value, key.fold("check").fold(parameter.name()), options));
  }
  return checks;
}

}  // namespace basin
