#include "data/images/preprocessing.h"

namespace basin {
namespace {

Tensor on_host(const Tensor& tensor) { return tensor.to(Placement{Dtype::F32, Device::Cpu}); }

/// factor * rows, in the shape of patches.
Tensor as_patches(const Preprocessing& preprocessing, const Tensor& rows, double factor) {
  Shape shape = preprocessing.pixels;
  shape.insert(shape.begin(), rows.dim(0));
  const Tensor patches = rows.clone().reshaped(shape);
  for (Index i = 0; i < patches.size(); ++i) patches.host<float>()[i] *= static_cast<float>(factor);
  return patches;
}

}  // namespace

Tensor patches_of_samples(const Preprocessing& preprocessing, const Tensor& samples) {
  if (preprocessing.is_identity()) return on_host(samples);
  const Tensor unscaled =
      as_patches({.pixels = {samples.size() / samples.dim(0)}}, on_host(samples), 1.0 / preprocessing.scale);
  if (!preprocessing.whitening.defined()) return as_patches(preprocessing, unscaled, 1.0);
  return as_patches(preprocessing, unwhiten(preprocessing.whitening, unscaled), 1.0);
}

Tensor patches_of_atoms(const Preprocessing& preprocessing, const Tensor& atoms) {
  if (preprocessing.is_identity()) return on_host(atoms);
  const bool is_white = preprocessing.whitening.defined();
  return as_patches(preprocessing,
                    is_white ? unwhiten_directions(preprocessing.whitening, on_host(atoms)) : on_host(atoms),
                    1.0 / preprocessing.scale);
}

Tensor patches_of_filters(const Preprocessing& preprocessing, const Tensor& filters) {
  if (preprocessing.is_identity()) return on_host(filters);
  const bool is_white = preprocessing.whitening.defined();
  return as_patches(preprocessing,
                    is_white ? unwhiten_filters(preprocessing.whitening, on_host(filters)) : on_host(filters),
                    preprocessing.scale);
}

void write_preprocessing(Store& store, const Preprocessing& preprocessing) {
  store.remove("/preprocessing");
  if (preprocessing.is_identity()) return;
  store.put("/preprocessing/pixels", std::vector<std::int64_t>(preprocessing.pixels));
  store.put_number("/preprocessing/scale", preprocessing.scale);
  if (preprocessing.whitening.defined()) {
    store.put("/preprocessing/mean", preprocessing.whitening.mean);
    store.put("/preprocessing/forward", preprocessing.whitening.forward);
    store.put("/preprocessing/inverse", preprocessing.whitening.inverse);
  }
}

Preprocessing read_preprocessing(const Store& store) {
  Preprocessing preprocessing;
  if (!store.has("/preprocessing/pixels")) return preprocessing;
  preprocessing.pixels = store.integers("/preprocessing/pixels");
  preprocessing.scale = store.number("/preprocessing/scale");
  if (store.has("/preprocessing/mean")) {
    preprocessing.whitening = {.mean = store.tensor("/preprocessing/mean"),
                               .forward = store.tensor("/preprocessing/forward"),
                               .inverse = store.tensor("/preprocessing/inverse")};
  }
  return preprocessing;
}

}  // namespace basin
