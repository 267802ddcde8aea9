#pragma once

#include <optional>
#include <vector>

#include "energy/graph.h"
#include "tensor/key.h"

namespace basin {

/// A directed layer of a deep belief net: p(below | above) of one graph over two variables that do not
/// interact with themselves (a restricted Boltzmann machine), and q(above | below), the recognition, of the
/// same one or of another over the same variables.
struct BeliefLayer {
  FactorGraph generation;
  Variable below, above;
  std::optional<FactorGraph> recognition = {};  // none: its weights are tied to those of the generation

  const FactorGraph& up() const { return recognition ? *recognition : generation; }
};

/// A deep belief net: an undirected top over its `visible` variable and its `latents` (hidden units; labels,
/// too), under it directed layers from the samples v = x_0 up:
///   p(v, x_1, ..., x_n, z) = p(v | x_1) p(x_1 | x_2) ... p(x_{n-1} | x_n) exp(-E_top(x_n, z)) / Z_top,
///   q(x_1, ..., x_n | v) = q(x_1 | v) ... q(x_n | x_{n-1}).
/// Reference: Hinton, Osindero, Teh 2006, "A fast learning algorithm for deep belief nets".
struct DeepBelief {
  std::vector<BeliefLayer> layers;
  FactorGraph top;
  Variable visible;
  Block latents;

  /// The variable that holds the samples.
  const Variable& samples() const { return layers.empty() ? visible : layers.front().below; }
};

/// Whether what each layer has above is what the next one has below, by domain and number of units.
bool fits(const DeepBelief& net);
/// Throws Error "[deep_belief] ..." where it is not.
void require_fits(const DeepBelief& net);

/// x_0, x_1, ..., x_n: the samples, and the units above them drawn from q, layer i under key.fold(i) and
/// there as Conditional::sample(); no history.
std::vector<Value> ascend(const DeepBelief& net, const State& samples, Key key);

enum class Bottom { States, Means };

/// The same from the top down: x_n as given, those below drawn from p, layer i under key.fold(i); of x_0 the
/// means given x_1, or draws. `context` says the number of the first row.
std::vector<Value> descend(const DeepBelief& net, const Value& visible, Key key, Bottom bottom,
                           const Context& context = {});

}  // namespace basin
