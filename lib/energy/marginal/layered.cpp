#include "energy/marginal/layered.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// The links of a graph in which each variable has two at most, walked from an end.
std::optional<Layered> walk(const FactorGraph& graph, const std::vector<TermOf<Bilinear>>& bilinear) {
  const auto links_of = [&](const Variable& variable) { return graph.factors<Bilinear>(variable); };
  Layered found;
  for (const Variable& variable : graph.variables()) {
    const std::size_t links = links_of(variable).size();
    if (links == 0 || links > 2) return std::nullopt;
    if (links == 1 && found.layers.empty()) found.layers.push_back(variable);
  }
  if (found.layers.empty()) return std::nullopt;  // a ring
  std::vector<bool> taken(bilinear.size(), false);
  for (std::size_t l = 0; l < bilinear.size(); ++l) {
    const Variable below = found.layers.back();
    const auto next = [&](std::size_t i) {
      return !taken[i] && (bilinear[i].factor->left() == below || bilinear[i].factor->right() == below);
    };
    std::size_t i = 0;
    while (i < bilinear.size() && !next(i)) ++i;
    if (i == bilinear.size()) return std::nullopt;  // several rows
    taken[i] = true;
    const Bilinear& link = *bilinear[i].factor;
    const bool turned = link.right() == below;
    found.layers.push_back(turned ? link.left() : link.right());
    found.links.push_back({static_cast<int>(graph.index_of(link.weight())), turned});
  }
  return found;
}

}  // namespace

int Layered::place(const Variable& variable) const {
  const auto at = std::find(layers.begin(), layers.end(), variable);
  return at == layers.end() ? -1 : static_cast<int>(at - layers.begin());
}

bool Layered::apart(const Block& block) const {
  for (std::size_t i = 0; i < block.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (std::abs(place(block[i]) - place(block[j])) < 2) return false;
    }
  }
  return true;
}

std::optional<Layered> recognise_layered(const FactorGraph& graph) {
  const std::vector<Variable>& variables = graph.variables();
  const std::vector<TermOf<Bilinear>> bilinear = graph.factors<Bilinear>();
  const std::vector<TermOf<Bias>> biases = graph.factors<Bias>();
  if (variables.size() < 3 || bilinear.size() + 1 != variables.size() ||
      bilinear.size() + biases.size() != graph.terms().size() ||
      !std::ranges::all_of(graph.terms(), [](const auto& term) { return term.weight == 1.0; }) ||
      !std::ranges::all_of(variables, [](const Variable& x) { return x.domain == Domain::Binary; }))
    return std::nullopt;
  std::optional<Layered> found = walk(graph, bilinear);
  if (!found) return std::nullopt;
  for (const Variable& layer : found->layers) {
    const std::vector<TermOf<Bias>> own = graph.factors<Bias>(layer);
    if (own.size() > 1) return std::nullopt;
    found->biases.push_back(own.empty() ? -1 : static_cast<int>(graph.index_of(own.front().factor->bias())));
  }
  // A parameter that several factors share would take the sum of their gradients.
  std::vector<int> all = found->biases;
  for (const Layered::Link& link : found->links) all.push_back(link.weight);
  std::erase(all, -1);
  std::ranges::sort(all);
  if (std::ranges::adjacent_find(all) != all.end()) return std::nullopt;
  return found;
}

LayeredNumbers::LayeredNumbers(const Layered& pattern, const FactorGraph& graph, Scratch& scratch,
                               const std::string& name)
    : links_(pattern.links) {
  const std::vector<Parameter> parameters = graph.parameters();
  for (const Layered::Link& link : pattern.links)
    weights_.push_back(parameters[static_cast<std::size_t>(link.weight)].tensor());
  for (std::size_t l = 0; l < pattern.count(); ++l) {
    if (pattern.biases[l] >= 0) {
      biases_.push_back(parameters[static_cast<std::size_t>(pattern.biases[l])].tensor());
      continue;
    }
    biases_.push_back(scratch.get(name + ".no_bias." + std::to_string(l), {pattern.layers[l].size()},
                                  weights_.front().placement()));
    biases_.back().fill(0.0);
  }
}

void LayeredNumbers::product(std::size_t from, std::size_t to, const Tensor& x, const Tensor& y,
                             double beta) const {
  const std::size_t link = std::min(from, to);
  const Tensor& weight = weights_[link];
  const bool down = (to < from) != links_[link].turned;
  GemmCall call{.dtype = weight.dtype(), .transpose_b = down, .m = x.dim(0), .beta = beta};
  call.k = weight.dim(down ? 1 : 0);
  call.n = weight.dim(down ? 0 : 1);
  call.a = x.data();
  call.lda = call.k;
  call.b = weight.data();
  call.ldb = weight.dim(1);
  call.c = y.data();
  call.ldc = call.n;
  backend(weight.device()).gemm(call);
}

void LayeredNumbers::input(std::size_t l, const std::vector<Tensor>& states, const Tensor& y) const {
  if (l > 0) product(l - 1, l, states[l - 1], y);
  if (l < links_.size()) product(l + 1, l, states[l + 1], y, l > 0 ? 1.0 : 0.0);
}

void LayeredNumbers::units(std::size_t l, const Tensor& input, const Draw& draw) const {
  UnitCall call{.dtype = input.dtype(), .rows = input.dim(0), .units = biases_[l].size()};
  call.input = input.data();
  call.bias = biases_[l].data();
  call.base = draw.base.defined() ? draw.base.data() : nullptr;
  call.scale = draw.scale;
  call.key = draw.key;
  call.first_draw = static_cast<std::uint64_t>(draw.first_row * call.units);
  call.mean = draw.mean.defined() ? draw.mean.data() : nullptr;
  call.sample = draw.sample.defined() ? draw.sample.data() : nullptr;
  backend(input.device()).units(call);
}

Tensor layered_rows(const Variable& variable, const Tensor& x, Placement placement) {
  if (x.placement() != placement) {
    throw Error(
        fmt::format("[layered] expected {} as {} on {} like the parameters, received {} on {}; convert it "
                    "with Tensor::to",
                    variable.name, to_string(placement.dtype), to_string(placement.device),
                    to_string(x.dtype()), to_string(x.device())));
  }
  return x.reshaped({x.dim(0), variable.size()});
}

}  // namespace basin
