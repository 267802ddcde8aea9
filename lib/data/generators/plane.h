#pragma once

#include "data/dataset.h"
#include "tensor/key.h"

namespace basin {

/// Densities of the plane, "point", reals [2], all within [-3, 3]: what a model of a density is drawn beside.
/// Sample i is a function of (key, i) alone. Each throws Error for a negative count.

/// A spiral of one and a half turns from the centre to radius 2, points evenly along it, off it by 0.08.
Samples spiral(Key key, Index count);
/// Eight Gaussians on a circle of radius 1.6, of deviation 0.2, equally likely.
Samples gaussian_mixture(Key key, Index count);
/// Five blades that are bent the more the farther they reach out. Reference: Johnson, Duvenaud, Wiltschko,
/// Datta, Adams 2016, "Composing graphical models with neural networks", their data "pinwheel".
Samples pinwheel(Key key, Index count);

}  // namespace basin
