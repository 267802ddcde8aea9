#pragma once

#include <vector>

#include "tensor/key.h"
#include "tensor/tensor.h"

namespace basin {

/// Independent uniforms in [0, 1). f32: the top 24 bits of the draw's word; f64: all 32 bits.
Tensor uniform(Key key, Shape shape, Placement placement = {});

/// Independent standard normals, by Box and Muller 1958 from the word pair (2 * (i / 2), 2 * (i / 2) + 1).
Tensor normal(Key key, Shape shape, Placement placement = {});

/// 1 with probability p[i], else 0: uniform draw i < p[i].
Tensor bernoulli(Key key, const Tensor& p);

/// A uniformly random order of 0 .. count-1 (Fisher and Yates), on the host.
std::vector<Index> permutation(Key key, Index count);

}  // namespace basin
