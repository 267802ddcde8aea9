#pragma once

#include <vector>

#include "tensor/key.h"
#include "tensor/tensor.h"

namespace basin {

/// All take draws first, first + 1, ... of a stream: with the first draw of its first row, a slice of a batch
/// draws what the whole would.

/// Independent uniforms in [0, 1). f32: the top 24 bits of the draw's word; f64: all 32 bits.
Tensor uniform(Key key, Shape shape, Placement placement = {}, std::uint64_t first = 0);

/// Independent standard normals, by Box and Muller 1958 from the word pair (w, w') = (2 * (i / 2), 2 * (i /
/// 2) + 1):
/// r = sqrt(-2 log((w + 1) 2^-32)), z = r cos(2 pi w' 2^-32) for even i and r sin(2 pi w' 2^-32) for odd; f32
/// takes w' to 24 bits.
Tensor normal(Key key, Shape shape, Placement placement = {}, std::uint64_t first = 0);

/// 1 where uniform draw i < p[i], else 0: p is rounded up to a multiple of 2^-24 (f64: 2^-32), however small.
Tensor bernoulli(Key key, const Tensor& p, std::uint64_t first = 0);

/// A uniformly random order of 0 .. count-1 (Fisher and Yates), on the host.
std::vector<Index> permutation(Key key, Index count);

}  // namespace basin
