#pragma once

#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/sample/deep_belief.h"
#include "oracle.h"

/// Deep belief nets so small that all of their states can be enumerated.
namespace basin::test {

struct Layer {
  FactorGraph graph;
  Variable v, h;
};

/// A restricted Boltzmann machine of bits with random parameters, in f64.
inline Layer small_rbm(Index visible, Index hidden, Key key) {
  Layer layer;
  layer.v = layer.graph.binary("v", {visible});
  layer.h = layer.graph.binary("h", {hidden});
  layer.graph.add(Bias(layer.v)).add(Bias(layer.h)).add(Bilinear(layer.v, layer.h, key));
  randomise(layer.graph, key, 1.2);
  return layer;
}

/// 4 bits of a sample, 3 and 2 units between, 3 at the top.
struct Net {
  Layer first = small_rbm(4, 3, Key(1)), second = small_rbm(3, 2, Key(2)), third = small_rbm(2, 3, Key(3));
  DeepBelief deep{.layers = {{first.graph, first.v, first.h}, {second.graph, second.v, second.h}},
                  .top = third.graph,
                  .visible = third.v,
                  .latents = {third.h}};
};

}  // namespace basin::test
