#pragma once

#include "data/images/images.h"
#include "tensor/key.h"

namespace basin {

struct CropOptions {
  Index size = 12;              // side of a crop in pixels
  Index margin = 0;             // pixels at every border of an image that no crop touches
  double least_variance = 0.0;  // crops whose own variance is below are drawn anew
};

/// Random square pieces of images: [count, size, size] in f32 on the host. Every place of every image has the
/// same chance.
///
/// Sample i is a function of (key, i) alone. Throws Error, naming the image, when one is smaller than a crop
/// and its margins, when there are no images, when the crops take more than `limit`, and when 1000 draws do
/// not bring the least variance.
Tensor crops(const ImageStack& images, Key key, Index count, const CropOptions& options = {},
             const ImportLimit& limit = ImportLimit());

}  // namespace basin
