#pragma once

#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/quadratic.h"
#include "oracle.h"

/// Bipartite graphs of every pair of unit kinds, for parity of fused and derived paths.
namespace basin::test {

struct Pair {
  FactorGraph graph;
  Variable v, h;
};

inline constexpr std::array kDomains{Domain::Binary, Domain::Real, Domain::NonNegative, Domain::Categorical};

inline Variable add_units(FactorGraph& graph, const std::string& name, Domain domain, Index size) {
  return graph.variable(name, domain, domain == Domain::Categorical ? Shape{size / 3, 3} : Shape{size});
}

/// 9 visible and 6 hidden units, f64, random parameters; weights small enough that Gaussian pairs have a
/// normal distribution.
inline Pair bipartite(Domain visible, Domain hidden, Precision precision = Precision::PerUnit,
                      bool visible_first = true) {
  Pair pair;
  pair.v = add_units(pair.graph, "v", visible, 9);
  pair.h = add_units(pair.graph, "h", hidden, 6);
  for (const Variable& variable : {pair.v, pair.h}) {
    pair.graph.add(Bias(variable));
    if (variable.domain == Domain::Real || variable.domain == Domain::NonNegative) {
      pair.graph.add(Quadratic(variable, {.precision = precision, .log_precision = 0.4}));
    }
  }
  pair.graph.add(visible_first ? Bilinear(pair.v, pair.h, Key(0)) : Bilinear(pair.h, pair.v, Key(0)));
  randomise(pair.graph, Key(17), 0.2);
  return pair;
}

/// Any samples inside the variable's domain.
inline Tensor samples(const Variable& variable, Index count, Key key) {
  std::vector<double> values = normal(key, batched(variable, count), {Dtype::F64, Device::Cpu}).values();
  const auto group =
      static_cast<std::size_t>(variable.domain == Domain::Categorical ? variable.shape.back() : 1);
  for (std::size_t i = 0; i < values.size(); i += group) {
    if (variable.domain == Domain::Binary) values[i] = values[i] > 0.3 ? 1.0 : 0.0;
    if (variable.domain == Domain::NonNegative) values[i] = std::abs(values[i]);
    if (variable.domain == Domain::Categorical) {
      const std::size_t hot = values[i] > 0.4 ? 0 : values[i] > -0.4 ? 1 : 2;
      for (std::size_t k = 0; k < group; ++k) values[i + k] = k == hot ? 1.0 : 0.0;
    }
  }
  return numbers(values, batched(variable, count));
}

inline double largest_difference(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = a.values(), y = b.values();
  double largest = x.size() == y.size() ? 0.0 : INFINITY;
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
    const double difference = std::abs(x[i] - y[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

}  // namespace basin::test
