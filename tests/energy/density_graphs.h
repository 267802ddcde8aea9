#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/network.h"
#include "energy/factors/quadratic.h"
#include "modules/activation.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "oracle.h"

/// Small models whose parameters tests of densities look for.
namespace basin::test {

struct DensityGraph {
  FactorGraph graph;
  Variable x;
};

/// A [numbers, columns] constant that picks the columns' numbers.
inline Value picked(Index count, const std::vector<Index>& which) {
  std::vector<double> one(static_cast<std::size_t>(count) * which.size(), 0.0);
  for (std::size_t c = 0; c < which.size(); ++c)
    one[static_cast<std::size_t>(which[c]) * which.size() + c] = 1.0;
  return numbers(one, {count, static_cast<Index>(which.size())});
}

/// E = - theta . phi(x), phi the numbers and the products of two: a Gaussian of real x (with the squares), a
/// fully visible Boltzmann machine of bits.
inline DensityGraph pairwise(Domain domain, Index count) {
  DensityGraph made;
  made.x = made.graph.variable("x", domain, {count});
  std::vector<Index> left, right;
  for (Index i = 0; i < count; ++i) {
    for (Index j = domain == Domain::Real ? i : i + 1; j < count; ++j) left.push_back(i), right.push_back(j);
  }
  const Value first = picked(count, left), second = picked(count, right);
  Sequential module;
  module.add(Function([first, second](const Value& x, const Context&) {
    return concat({x, matmul(x, first) * matmul(x, second)}, 1);
  }));
  const auto features = count + static_cast<Index>(left.size());
  module.add(Linear(features, 1, Key(1), {.bias = false, .placement = f64()}));
  module.add(Function([](const Value& y, const Context&) { return -y; }));
  made.graph.add(Network(std::move(module), {made.x}, {.label = "pairs"}));
  return made;
}

/// A Gaussian-Bernoulli RBM.
inline DensityGraph gaussian_rbm() {
  DensityGraph made;
  made.x = made.graph.real("x", {3});
  const Variable h = made.graph.binary("h", {2});
  made.graph.add(Bias(made.x)).add(Quadratic(made.x)).add(Bias(h)).add(Bilinear(made.x, h, Key(1)));
  randomise(made.graph, Key(2), 0.5);
  return made;
}

inline DensityGraph binary_rbm() {
  DensityGraph made;
  made.x = made.graph.binary("x", {4});
  const Variable h = made.graph.binary("h", {2});
  made.graph.add(Bias(made.x)).add(Bias(h)).add(Bilinear(made.x, h, Key(1)));
  randomise(made.graph, Key(3), 1.0);
  return made;
}

/// A network of one hidden layer beside a Quadratic.
inline DensityGraph network_energy(Activation::Kind kind) {
  DensityGraph made;
  made.x = made.graph.real("x", {3});
  Sequential layers;
  layers.add(Linear(3, 5, Key(1), {.placement = f64()})).add(Activation(kind));
  layers.add(Linear(5, 1, Key(2), {.placement = f64()}));
  made.graph.add(Network(std::move(layers), {made.x})).add(Quadratic(made.x));
  randomise(made.graph, Key(4), 0.7);
  return made;
}

}  // namespace basin::test
