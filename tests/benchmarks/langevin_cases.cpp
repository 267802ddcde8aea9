#include <fmt/format.h>

#include <array>
#include <vector>

#include "autograd/ops.h"
#include "benchmarks/cases.h"
#include "benchmarks/product.h"
#include "energy/factors/network.h"
#include "energy/sample/continuous/langevin.h"
#include "modules/activation.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"

namespace basin::benchmarks {

/// The limit: the products of the net and of its gradient in x.
void langevin(const Arguments& arguments) {
  constexpr Index kRows = 128, kSteps = 60;
  constexpr std::array<Index, 4> kSizes{784, 512, 512, 1};
  const std::string name = fmt::format("langevin_mlp_784_512_512_1_b{}_k{}", kRows, kSteps);
  if (!arguments.wants(name)) return;
  Sequential net;
  std::vector<Product> products;
  for (std::size_t i = 0; i + 1 < kSizes.size(); ++i) {
    net.add(Linear(kSizes[i], kSizes[i + 1], Key(1).fold(i)));
    if (i + 2 < kSizes.size()) net.add(Activation(Activation::Kind::Silu));
    products.emplace_back(kRows, kSizes[i + 1], kSizes[i]);
  }
  FactorGraph graph;
  const Variable x = graph.real("x", {kSizes.front()});
  graph.add(Network(std::move(net), {x}));
  const Langevin step({x}, {.step = 0.005});
  const Value zero = Tensor::zeros({1}), one = Tensor::full({1}, 1.0);
  std::uint64_t run = 0;
  measure(
      name, "steps/s", kSteps,
      [&] {
        const Key key = Key(2).fold(run++);
        State state = State().set(x, uniform(key.fold("start"), {kRows, kSizes.front()}));
        for (Index i = 0; i < kSteps; ++i) {
          state = step(graph, state, key.fold(static_cast<std::uint64_t>(i)));
          state.set(x, minimum(maximum(state[x], zero), one));
        }
      },
      [&] {
        for (Index i = 0; i < kSteps; ++i) {
          for (const Product& product : products) product.forward();
          for (const Product& product : products) product.gradient_of_input();
        }
      },
      arguments);
}

}  // namespace basin::benchmarks
