#include "energy/marginal/bipartite.h"

#include <fmt/format.h>

#include <algorithm>

#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/marginal/conditional.h"
#include "tensor/error.h"

namespace basin {
namespace {

int position(const std::vector<Parameter>& parameters, const Parameter& parameter) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].name() == parameter.name()) return static_cast<int>(i);
  }
  return -1;
}

bool has_precision(const BipartiteLayer& layer) {
  return layer.unit == Unit::Gaussian || layer.unit == Unit::NonNegative;
}

}  // namespace

int Bipartite::side(const Variable& variable) const {
  if (layers[0].variable == variable) return 0;
  return layers[1].variable == variable ? 1 : -1;
}

std::optional<Bipartite> recognise_bipartite(const FactorGraph& graph) {
  if (graph.variables().size() != 2) return std::nullopt;
  const std::vector<TermOf<Bilinear>> bilinear = graph.factors<Bilinear>();
  const std::vector<TermOf<Bias>> biases = graph.factors<Bias>();
  const std::vector<TermOf<Quadratic>> quadratics = graph.factors<Quadratic>();
  if (bilinear.size() != 1 || 1 + biases.size() + quadratics.size() != graph.terms().size() ||
      !std::all_of(graph.terms().begin(), graph.terms().end(),
                   [](const FactorGraph::Term& term) { return term.weight == 1.0; }))
    return std::nullopt;
  const std::vector<Parameter> parameters = graph.parameters();
  Bipartite found;
  found.weight = position(parameters, bilinear[0].factor->weight());
  found.layers[0].variable = bilinear[0].factor->left();
  found.layers[1].variable = bilinear[0].factor->right();
  for (BipartiteLayer& layer : found.layers) {
    layer.unit = unit_of(layer.variable.domain);
    if (layer.unit == Unit::Categorical) layer.group = layer.variable.shape.back();
  }
  const auto layer_of = [&](const Variable& variable) -> BipartiteLayer& {
    return found.layers[static_cast<std::size_t>(found.side(variable))];
  };
  for (const auto& [bias, weight] : biases) {
    BipartiteLayer& layer = layer_of(bias->variable());
    if (layer.bias >= 0) return std::nullopt;
    layer.bias = position(parameters, bias->bias());
  }
  for (const auto& [quadratic, weight] : quadratics) {
    BipartiteLayer& layer = layer_of(quadratic->variable());
    if (layer.quadratic || !has_precision(layer)) return std::nullopt;
    if (quadratic->log_precision()) layer.log_precision = position(parameters, *quadratic->log_precision());
    layer.quadratic = quadratic;
  }
  for (const BipartiteLayer& layer : found.layers) {
    if (has_precision(layer) && !layer.quadratic) return std::nullopt;
  }
  return found;
}

BipartiteNumbers::BipartiteNumbers(const Bipartite& pattern, const FactorGraph& graph, Scratch& scratch,
                                   const std::string& name, const std::vector<Tensor>& others) {
  const std::vector<Parameter> parameters = graph.parameters();
  const auto tensor = [&](int position) {
    const auto i = static_cast<std::size_t>(position);
    return others.empty() ? parameters[i].tensor() : others[i];
  };
  weight_ = tensor(pattern.weight);
  const Placement placement = weight_.placement();
  Backend& kernels = backend(placement.device);
  for (std::size_t side = 0; side < 2; ++side) {
    const BipartiteLayer& layer = pattern.layers[side];
    const Index size = layer.variable.size();
    const std::string prefix = name + "." + std::to_string(side);
    unit_[side] = layer.unit;
    group_[side] = layer.group;
    if (layer.bias >= 0) {
      bias_[side] = tensor(layer.bias);
    } else {
      bias_[side] = scratch.get(prefix + ".no_bias", {size}, placement);
      bias_[side].fill(0.0);
    }
    if (!has_precision(layer)) continue;
    precision_[side] = scratch.get(prefix + ".precision", {size}, placement);
    if (layer.log_precision < 0) {
      precision_[side].copy_from(layer.quadratic->precision(placement).tensor());
      continue;
    }
    kernels.unary(Unary::Exp, placement.dtype, tensor(layer.log_precision).data(), precision_[side].data(),
                  size);
  }
}

void BipartiteNumbers::product(int from, const Tensor& x, const Tensor& y) const {
  const Index rows_of_w = weight_.dim(0), columns_of_w = weight_.dim(1);
  GemmCall call{.dtype = weight_.dtype(), .transpose_b = from == 1, .m = x.dim(0)};
  call.k = from == 0 ? rows_of_w : columns_of_w;
  call.n = from == 0 ? columns_of_w : rows_of_w;
  call.a = x.data();
  call.lda = call.k;
  call.b = weight_.data();
  call.ldb = columns_of_w;
  call.c = y.data();
  call.ldc = call.n;
  backend(weight_.device()).gemm(call);
}

void BipartiteNumbers::units(int side, const Tensor& input, const Draw& draw) const {
  const auto s = static_cast<std::size_t>(side);
  UnitCall call{.dtype = weight_.dtype(),
                .unit = unit_[s],
                .rows = input.dim(0),
                .units = bias_[s].size(),
                .group = group_[s]};
  call.input = input.data();
  call.bias = bias_[s].data();
  call.base = draw.base.defined() ? draw.base.data() : nullptr;
  call.scale = draw.scale;
  call.row_scales = draw.row_scales.defined() ? draw.row_scales.data() : nullptr;
  call.precision = precision_[s].defined() ? precision_[s].data() : nullptr;
  call.key = draw.key;
  call.first_draw = static_cast<std::uint64_t>(draw.first_row * call.units);
  call.mean = draw.mean.defined() ? draw.mean.data() : nullptr;
  call.sample = draw.sample.defined() ? draw.sample.data() : nullptr;
  backend(weight_.device()).units(call);
}

Tensor bipartite_rows(const Bipartite& pattern, int side, const Tensor& x, Placement placement) {
  const Variable& variable = pattern.layers[static_cast<std::size_t>(side)].variable;
  if (x.placement() != placement) {
    throw Error(
        fmt::format("[bipartite] expected {} as {} on {} like the parameters, received {} on {}; convert it "
                    "with Tensor::to",
                    variable.name, to_string(placement.dtype), to_string(placement.device),
                    to_string(x.dtype()), to_string(x.device())));
  }
  return x.reshaped({x.dim(0), variable.size()});
}

}  // namespace basin
