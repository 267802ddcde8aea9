#include "energy/objectives/contrast/centring.h"

#include <fmt/format.h>

#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// y += alpha * op(m) x for a matrix m [rows, columns] and a vector x.
void add_product(const Tensor& m, bool transposed, const Tensor& x, double alpha, double beta,
                 const Tensor& y) {
  GemmCall call{.dtype = m.dtype(), .transpose_a = transposed, .n = 1, .alpha = alpha, .beta = beta};
  call.m = m.dim(transposed ? 1 : 0);
  call.k = m.dim(transposed ? 0 : 1);
  call.a = m.data();
  call.lda = m.dim(1);
  call.b = x.data();
  call.ldb = 1;
  call.c = y.data();
  call.ldc = 1;
  backend(m.device()).gemm(call);
}

/// y <- y - G x, or y - G' x, for a gradient G of a matrix, its products never multiplied out.
void subtract_product(const Gradient& g, bool transposed, const Tensor& x, const Tensor& y,
                      Scratch& scratch) {
  if (g.dense().defined()) add_product(g.dense(), transposed, x, -1.0, 1.0, y);
  for (const OuterProduct& product : g.products()) {
    const Tensor& first = transposed ? product.left : product.right;
    const Tensor& second = transposed ? product.right : product.left;
    const Tensor& along =
        scratch.get("centre." + std::to_string(first.dim(0)), {first.dim(0)}, x.placement());
    add_product(first, false, x, 1.0, 0.0, along);
    add_product(second, true, along, -product.scale, 1.0, y);
  }
}

}  // namespace

std::vector<Variable> centred_variables(const FactorGraph& graph) {
  std::vector<Variable> found;
  for (const auto& [bilinear, weight] : graph.factors<Bilinear>()) {
    for (const Variable& variable : {bilinear->left(), bilinear->right()}) {
      if (graph.factors<Bias>(variable).empty()) {
        throw Error(fmt::format("[centring] expected a Bias on {}, which {} reads, received none; add one",
                                variable.name, bilinear->name()));
      }
      if (!contains(found, variable)) found.push_back(variable);
    }
  }
  if (found.empty())
    throw Error("[centring] expected a graph with a Bilinear factor, received none; switch centring off");
  return found;
}

CentringOffsets slide_offsets(const FactorGraph& graph, const CentringOffsets& means, Carry& carry,
                              double rate) {
  CentringOffsets offsets(means.size());
  for (std::size_t i = 0; i < means.size(); ++i) {
    const Tensor& mean = means[i];
    if (!mean.defined()) continue;
    const std::string name = "offset." + graph.variables()[i].name;
    offsets[i] = recall(carry, name, mean.shape(), mean.placement());
    if (offsets[i].defined()) {
      backend(mean.device())
          .axpby(mean.dtype(), rate, mean.data(), 1.0 - rate, offsets[i].data(), mean.size());
    } else {
      offsets[i] = carry[name] = mean.clone();
    }
  }
  return offsets;
}

void centre(const FactorGraph& graph, const CentringOffsets& offsets, std::vector<Gradient>& gradients,
            Scratch& scratch) {
  const auto plain_bias = [&](const Variable& variable) {
    return scratch.get("centre." + variable.name, {variable.size()}, graph.placement());
  };
  const auto bias_gradient = [&](const Variable& variable) -> Tensor {
    return gradients[graph.index_of(graph.factors<Bias>(variable).front().factor->bias())].dense();
  };
  // The rank-one terms of every W take the biases' gradients as they were.
  for (const Variable& variable : centred_variables(graph))
    plain_bias(variable).copy_from(bias_gradient(variable));
  for (const auto& [bilinear, weight] : graph.factors<Bilinear>()) {
    if (weight != 1.0) {
      throw Error(fmt::format("[centring] expected weight 1 for {}, received {}; scale its parameter",
                              bilinear->name(), weight));
    }
    const Variable &x = bilinear->left(), &y = bilinear->right();
    const Tensor& mu = offsets[static_cast<std::size_t>(x.index)];
    const Tensor& lambda = offsets[static_cast<std::size_t>(y.index)];
    Gradient& gw = gradients[graph.index_of(bilinear->weight())];
    gw.add({-1.0, plain_bias(x).reshaped({1, x.size()}), lambda.reshaped({1, y.size()})});
    gw.add({-1.0, mu.reshaped({1, x.size()}), plain_bias(y).reshaped({1, y.size()})});
    subtract_product(gw, false, lambda, bias_gradient(x), scratch);
    subtract_product(gw, true, mu, bias_gradient(y), scratch);
  }
}

}  // namespace basin
