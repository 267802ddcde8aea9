#pragma once

#include "data/images/images.h"
#include "tensor/key.h"

namespace basin {

struct LeavesOptions {
  Index side = 128;           // of an image in pixels
  double least_radius = 4.0;  // of a leaf in pixels
  double largest_radius = 64;
  double polygons = 0.5;  // share of leaves with 3 to 6 corners; the others are discs
};

/// Dead leaves: images [first, first + count) of an endless set, in which opaque discs and convex polygons of
/// one grey level each lie on one another. Natural images in small: borders between objects of all sizes,
/// which is why their whitened patches teach edge filters.
///
/// Centres are uniform, radii have the density p(r) ~ r^-3 (areas at every scale in equal shares: a spectrum
/// near 1 / f^2), greys are uniform in [0, 1]; a polygon has its corners on the circle of its radius. Leaves
/// are laid from the front until no more than 1/256 of any pixel is open, which gives a sample of the endless
/// process; edges are smoothed over one pixel. Image i is a function of (key, i) alone. Throws Error unless
/// 0.5 <= least_radius < largest_radius <= 1024, 1 <= side <= 4096, 0 <= polygons <= 1, and the range is >=
/// 0. Reference: Lee, Mumford, Huang 2001, "Occlusion models for natural images"; drawing from the front:
/// Kendall and Thonnes 1999, "Perfect simulation in stochastic geometry".
ImageStack leaves(Key key, Index first, Index count, const LeavesOptions& options = {});

}  // namespace basin
