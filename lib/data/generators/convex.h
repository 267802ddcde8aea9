#pragma once

#include "data/dataset.h"
#include "tensor/key.h"

namespace basin {

/// White regions on black, 28 x 28: is the region convex ("label" 1) or not (0)? Labels alternate.
///
/// A convex region ("image" 255) is an intersection of half-planes, each bounded by a line through a point
/// uniform in the picture with a direction uniform in all; their number is geometric: how often a chance of
/// 0.195 fails before it comes true. Regions of less than 19 pixels are drawn anew. A region that is not
/// convex is the union of 2 to 4 such ones (chance 0.07, at least 10 pixels each), drawn anew while it holds,
/// for every two of its pixels, the pixels nearest to the straight line between them. That is a test of
/// pixels: some regions that pass for convex to the eye fail it and are called not convex, which is what
/// makes the set hard. Sample i is a function of (key, i) alone. Throws Error for a negative
/// count. Reference: Larochelle, Erhan, Courville, Bergstra and Bengio 2007, "An empirical evaluation of deep
/// architectures on problems with many factors of variation", convex; the numbers are of its web
/// pages (ConvexNonConvex).
Samples convex(Key key, Index count);

}  // namespace basin
