#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "energy/graph.h"
#include "energy/scratch.h"
#include "tensor/backend.h"
#include "tensor/key.h"

namespace basin {

/// The pattern of the rewrite rule "layered": binary variables x_0, ..., x_n, n >= 2, in a row with
///   E = -sum_l b_l'x_l - sum_l x_l' W_l x_{l+1},
/// one Bilinear between neighbours (either way round), at most one Bias each, all of weight 1, nothing else:
/// a deep Boltzmann machine. Positions are those in graph.parameters(), -1 for none.
struct Layered {
  struct Link {
    int weight = -1;
    bool turned = false;  // the matrix is [upper, lower]
  };
  Block layers;             // from one end to the other
  std::vector<int> biases;  // of each layer
  std::vector<Link> links;  // between layers l and l + 1

  std::size_t count() const { return layers.size(); }
  /// Its layer; -1 when the variable is not in the graph.
  int place(const Variable& variable) const;
  /// Whether no two neighbours are in a block, nor a variable twice.
  bool apart(const Block& block) const;
};

/// Recognises by factor types and domains; nothing when any other factor, weight or variable is there. The
/// first layer is the end that was added to the graph first.
std::optional<Layered> recognise_layered(const FactorGraph& graph);

/// The numbers of a layered graph, ready for the kernels. Work tensors are named after `name` in `scratch`.
class LayeredNumbers {
 public:
  LayeredNumbers(const Layered& pattern, const FactorGraph& graph, Scratch& scratch, const std::string& name);

  /// y = x_from W towards layer `to`, a neighbour, plus beta y. x [rows, size], y [rows, other size].
  void product(std::size_t from, std::size_t to, const Tensor& x, const Tensor& y, double beta = 0.0) const;
  /// y = the products of all neighbours of layer l, states by layer: its input without the bias.
  void input(std::size_t l, const std::vector<Tensor>& states, const Tensor& y) const;

  struct Draw {
    std::uint64_t key = 0;
    Tensor mean = {}, sample = {};  // undefined: not wanted; either may be the input itself
    Index first_row = 0;            // number of the first row, of which row n draws
    double scale = 1.0;             // inverse temperature: a = scale * (input + bias) + base
    Tensor base = {};
  };
  /// Mean and sample of a layer given its input.
  void units(std::size_t l, const Tensor& input, const Draw& draw) const;

  Placement placement() const { return weights_.front().placement(); }
  const Tensor& bias(std::size_t l) const { return biases_[l]; }

 private:
  std::vector<Layered::Link> links_;
  std::vector<Tensor> weights_, biases_;
};

/// x as [samples, size]. Throws Error when it is placed elsewhere than the parameters.
Tensor layered_rows(const Variable& variable, const Tensor& x, Placement placement);

}  // namespace basin
