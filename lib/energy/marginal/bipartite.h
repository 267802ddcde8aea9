#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "energy/factors/quadratic.h"
#include "energy/graph.h"
#include "energy/scratch.h"
#include "tensor/backend.h"
#include "tensor/key.h"

namespace basin {

/// One variable of a bipartite graph, as the `units` kernel sees it. Positions are those in
/// graph.parameters(), -1 for none.
struct BipartiteLayer {
  Variable variable;
  Unit unit = Unit::Binary;
  Index group = 1;  // of one-hot units
  int bias = -1;
  int log_precision = -1;
  std::shared_ptr<const Quadratic> quadratic;  // of real and non-negative variables
};

/// The pattern of the rewrite rule "bipartite": two variables x, y with
///   E = -x' W y - b'x - c'y + 1/2 sum exp(s) x^2 + 1/2 sum exp(t) y^2,
/// one Bilinear, at most one Bias each, and exactly one Quadratic where a domain is real or non-negative, all
/// of weight 1.
struct Bipartite {
  std::array<BipartiteLayer, 2> layers;  // 0: rows of W, 1: columns of W
  int weight = -1;

  /// 0 or 1; -1 when the variable is not in the graph.
  int side(const Variable& variable) const;
};

/// Recognises by factor types and domains; nothing when any other factor, weight or variable is there.
std::optional<Bipartite> recognise_bipartite(const FactorGraph& graph);

/// The numbers of a bipartite graph, ready for the kernels: handles of the given parameter tensors,
/// precisions worked out.
class BipartiteNumbers {
 public:
  /// `others` are tensors in the place of graph.parameters(); empty: its own. Work tensors are named after
  /// `name` in `scratch`.
  BipartiteNumbers(const Bipartite& pattern, const FactorGraph& graph, Scratch& scratch,
                   const std::string& name, const std::vector<Tensor>& others = {});

  /// y = x W for side 0, y = x W' for side 1: the input to the other side. x [rows, size], y [rows, other
  /// size].
  void product(int from, const Tensor& x, const Tensor& y) const;

  struct Draw {
    std::uint64_t key = 0;
    Tensor mean = {}, sample = {};  // undefined: not wanted; either may be the input itself
    Index first_row = 0;            // number of the first row, of which row n draws
    double scale = 1.0;             // inverse temperature: a = scale * (input + bias) + base
    Tensor base = {};
    Tensor row_scales = {};  // [rows]: scale * row_scales[n] in the place of scale
  };
  /// Mean and sample of one side given its input.
  void units(int side, const Tensor& input, const Draw& draw) const;

  Placement placement() const { return weight_.placement(); }
  const Tensor& weight() const { return weight_; }
  const Tensor& bias(int side) const { return bias_[static_cast<std::size_t>(side)]; }
  /// exp(s), [size]; undefined for binary and one-hot units.
  const Tensor& precision(int side) const { return precision_[static_cast<std::size_t>(side)]; }

 private:
  std::array<Unit, 2> unit_{};
  std::array<Index, 2> group_{};
  Tensor weight_;
  std::array<Tensor, 2> bias_, precision_;
};

/// x as [samples, size]. Throws Error when it is placed elsewhere than the parameters.
Tensor bipartite_rows(const Bipartite& pattern, int side, const Tensor& x, Placement placement);

}  // namespace basin
