#include "models/rica.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "energy/factors/network.h"
#include "energy/factors/squared_error.h"
#include "modules/flatten.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "modules/linear_transpose.h"
#include "modules/sequential/sequential.h"
#include "tensor/error.h"

namespace basin {

Rica rica(const RicaOptions& options) {
  if (options.sample_shape.empty() || options.codes < 1) {
    throw Error(
        fmt::format("[rica] expected the shape of one sample and at least one code, received {} and {}",
                    to_string(options.sample_shape), options.codes));
  }
  if (!(options.lambda >= 0.0 && std::isfinite(options.lambda)) ||
      !(options.epsilon > 0.0 && std::isfinite(options.epsilon))) {
    throw Error(fmt::format("[rica] expected lambda >= 0 and epsilon > 0, received {} and {}", options.lambda,
                            options.epsilon));
  }
  FactorGraph graph;
  const Variable x = graph.real("x", options.sample_shape);
  const Linear filters(x.size(), options.codes, options.key, {.bias = false});
  auto encoder = std::make_shared<Sequential>();
  encoder->add(Flatten()).add(filters);
  const auto decoder = std::make_shared<const LinearTranspose>(filters, LinearOptions{.bias = false});
  Sequential both, smooth;
  both.add(std::shared_ptr<const Module>(encoder)).add(std::shared_ptr<const Module>(decoder));
  smooth.add(std::shared_ptr<const Module>(encoder))
      .add(Function([epsilon = options.epsilon](const Value& code, const Context&) {
        return sqrt(square(code) + epsilon);
      }));
  graph.add(SquaredError(x, std::move(both), x), 2.0 * options.lambda);
  graph.add(Network(std::move(smooth), {x}, {.label = "smooth"}));
  return {.graph = graph, .x = x, .filters = filters.weight(), .encoder = encoder, .decoder = decoder};
}

}  // namespace basin
