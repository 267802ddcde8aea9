#pragma once

#include "data/images/whitening.h"
#include "results/hdf5/store.h"

namespace basin {

/// How the samples of a data set came from patches of images: sample = scale * F (patch - m), with F the
/// whitening, or 1. Kept with the data set, so that what a model learns can be shown as pictures. Contrast
/// normalisation is not undone: its patches are the pictures. Where samples are codes of a layer below, B
/// holds what its codes stand for and F what its encoder looks for: pictures of the next layer are those of
/// linear layers.
struct Preprocessing {
  Shape pixels;              // of a patch: {12, 12}; {} when nothing was done
  Whitening whitening = {};  // undefined: none
  double scale = 1.0;

  bool is_identity() const { return pixels.empty(); }
};

/// The patches of samples: [N, ...] to [N, pixels...]; m + B sample / scale. All three take any device and
/// give f32 on the host, and return samples as they are where nothing was done. Throws Error for samples of
/// another size.
Tensor patches_of_samples(const Preprocessing& preprocessing, const Tensor& samples);
/// What atoms of a dictionary of samples are in patches: B d / scale.
Tensor patches_of_atoms(const Preprocessing& preprocessing, const Tensor& atoms);
/// What filters of samples (rows of an encoder) look for in patches: scale * F' w.
Tensor patches_of_filters(const Preprocessing& preprocessing, const Tensor& filters);

/// /preprocessing of a results file; nothing where it says nothing.
void write_preprocessing(Store& store, const Preprocessing& preprocessing);
Preprocessing read_preprocessing(const Store& store);

}  // namespace basin
