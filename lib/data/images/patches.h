#pragma once

#include <optional>

#include "data/dataset.h"
#include "data/images/contrast.h"
#include "data/images/images.h"
#include "tensor/key.h"

namespace basin {

enum class ContrastNorm {
  None,
  Local,  // local_contrast() of each whole image
  Patch   // each patch by its own deviation, with a floor of contrast_floor * the mean variance of training
          // patches
};

enum class Whiten { None, Pca, Zca };

/// How images become samples. In this order: contrast of whole images, random crops, means of patches,
/// contrast of patches, whitening fitted to the training patches, common scale.
struct PatchOptions {
  Index size = 12;  // side in pixels
  std::optional<Index> margin =
      {};  // pixels at every border of an image that are left alone; absent: what the data set needs
  double least_variance = 0.0;  // of a patch, before all but local contrast: flatter ones are drawn anew
  bool remove_mean = true;      // of each patch
  ContrastNorm contrast = ContrastNorm::None;
  Index window = 9;              // of ContrastNorm::Local
  double contrast_floor = 0.01;  // of ContrastNorm::Patch
  Whiten whiten = Whiten::None;
  double epsilon = 0.01;  // of the whitening, relative to the mean variance of a pixel
  Index dimensions = 0;   // directions the whitening keeps; 0 = all that vary
  bool unit_variance =
      true;  // one factor for all, by which the mean square of a number of the training samples is 1
};

/// Samples of patches, with what undoes the whitening in Dataset::preprocessing. Samples are {size, size},
/// after PCA {dimensions}.
///
/// Training and test patches come from different images: every fifth, from the third on, is for tests (the
/// last of two); a single image is cut, its lowest fifth for tests. `train` = 0: 50,000, fewer when patches
/// are larger than 12 x 12, so many pixels in all; `test` = 0: a fifth of the training samples. Sample i of
/// each part is a function of (key, i), the images and the training set.
/// Throws Error as crops() and fit_whitening() do, and for an unusable option.
Dataset patch_dataset(const std::string& name, const ImageStack& images, Key key, Index train, Index test,
                      const PatchOptions& options = {}, const ImportLimit& limit = ImportLimit());

}  // namespace basin
