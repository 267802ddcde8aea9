#pragma once

#include <array>
#include <string>
#include <vector>

#include "results/pictures/picture.h"

namespace basin {

/// Heights over a square grid of the plane: heights[j * side + i] at (at(i), at(j)).
struct Surface {
  std::vector<double> heights = {};
  double low = -1.0, high = 1.0;  // of both axes

  std::size_t side() const;  // throws Error unless the heights fill a square of at least 2 x 2
  double at(std::size_t i) const {
    return low + (high - low) * static_cast<double>(i) / static_cast<double>(side() - 1);
  }
};

struct SurfaceOptions {
  std::string title = {}, x_label = {}, y_label = {};
  std::vector<std::array<double, 2>> marks = {};  // points of the plane
  int width = 560, height = 560;
  int mark_size = 9;      // of a side, in pixels
  bool is_framed = true;  // with axes and words; else the plane alone
};

/// The surface from above: dark where it is low, with contours of equal distance of the square root of the
/// height above the lowest, so that what is flat shows too. Throws Error as Surface::side does, and for a
/// height that is not finite.
Picture surface_picture(const Surface& surface, const SurfaceOptions& options);

}  // namespace basin
