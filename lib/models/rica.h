#pragma once

#include <memory>

#include "energy/graph.h"
#include "modules/module.h"
#include "tensor/key.h"

namespace basin {

struct RicaOptions {
  Shape sample_shape = {};  // of one x
  Index codes = 0;          // as many as wanted, more than x has numbers too
  double lambda = 1.0;      // weight of the reconstruction
  double epsilon = 0.01;    // of the smooth |s|
  Key key;                  // no default: filters are not drawn without one
};

/// Independent components by a reconstruction in the place of an inverse.
struct Rica {
  FactorGraph graph;
  Variable x;
  Parameter filters;                      // W' [x.size(), codes], a column a filter
  std::shared_ptr<const Module> encoder;  // x -> s = W x, [N, codes]
  std::shared_ptr<const Module> decoder;  // s -> W's, [N, x.size()]
};

/// E(x) = lambda |x - W'W x|^2 + sum_j sqrt((W x)_j^2 + epsilon). Of whitened x and a large lambda rows of W
/// are orthonormal, and those of independent sources. Throws Error unless there are a shape and a code,
/// lambda
/// >= 0 and epsilon > 0. Reference: Le, Karpenko, Ngiam, Ng 2011, "ICA with reconstruction cost for efficient
/// overcomplete feature learning", eq. 2, with their smooth L1.
Rica rica(const RicaOptions& options);

}  // namespace basin
