#pragma once

#include <functional>

#include "data/images/preprocessing.h"
#include "modules/parameter.h"
#include "tensor/tensor.h"

namespace basin {

/// Facet of a stage whose weights are pictures: basis vectors, atoms of a dictionary, filters.
struct Dictionary {
  static constexpr const char* kWhat = "weights that are pictures";

  std::function<Tensor()> atoms;         // [count, shape...]: what each unit adds to a sample
  std::function<Tensor()> filters = {};  // what each looks for, in the order of the atoms; may be empty
  Shape shape = {};                      // of one: of a sample or, [.., height, width], of a part of an image
  bool of_samples = true;                // else of parts of images
  bool unit_norm = false;                // all atoms have norm 1: their order says nothing
};

/// The columns of a matrix as rows, as they are whenever asked for.
std::function<Tensor()> columns_of(const Parameter& matrix);

/// Rows that are pictures of a shape, in f32 on the host.
struct Picturable {
  Tensor rows;
  Shape pixels;
};

/// Atoms, or filters, as they are where they are pictures and `as_patches` is false, else as they are in
/// the patches that samples were made from; the first channel of parts of images.
Picturable atoms_of(const Dictionary& dictionary, const Preprocessing& preprocessing,
                    bool as_patches = false);
Picturable filters_of(const Dictionary& dictionary, const Preprocessing& preprocessing);

/// The shape of a patch: of the samples themselves where nothing was done to them.
Shape patch_shape(const Preprocessing& preprocessing, const Shape& sample_shape);

/// How codes look in patches, for a stage above: what a code stands for (its atom) and what the encoder
/// looks for (its filter; the atom where there are none), both through whatever lies below; of scale 1.
/// Nothing for parts of images.
Preprocessing pictures_of_codes(const Dictionary& dictionary, const Preprocessing& below);

}  // namespace basin
