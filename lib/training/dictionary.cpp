#include "training/dictionary.h"

#include "autograd/ops.h"
#include "results/pictures/picture.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// The first channel of parts of images [count, channels, height, width].
Picturable first_channel(const Tensor& parts) {
  return {on_host(parts.rank() == 4 ? slice(Value(parts), 1, 0, 1).tensor() : parts),
          {parts.dim(parts.rank() - 2), parts.dim(parts.rank() - 1)}};
}

}  // namespace

std::function<Tensor()> columns_of(const Parameter& matrix) {
  return [matrix] { return transpose(matrix.value().detached(), {1, 0}).tensor(); };
}

Shape patch_shape(const Preprocessing& preprocessing, const Shape& sample_shape) {
  return preprocessing.is_identity() ? sample_shape : preprocessing.pixels;
}

Picturable atoms_of(const Dictionary& dictionary, const Preprocessing& preprocessing, bool as_patches) {
  if (!dictionary.of_samples) return first_channel(dictionary.atoms());
  const Tensor rows = on_host(dictionary.atoms());
  if (!as_patches && dictionary.shape.size() == 2) return {rows, dictionary.shape};
  return {patches_of_atoms(preprocessing, rows), patch_shape(preprocessing, dictionary.shape)};
}

Picturable filters_of(const Dictionary& dictionary, const Preprocessing& preprocessing) {
  if (!dictionary.filters) {
    throw Error(
        "[encoder] expected a stage with an encoder whose filters are pictures, received one without");
  }
  if (!dictionary.of_samples) return first_channel(dictionary.filters());
  const Tensor rows = on_host(dictionary.filters());
  if (dictionary.shape.size() == 2) return {rows, dictionary.shape};
  return {patches_of_filters(preprocessing, rows), patch_shape(preprocessing, dictionary.shape)};
}

Preprocessing pictures_of_codes(const Dictionary& dictionary, const Preprocessing& below) {
  if (!dictionary.of_samples) return {};
  const Tensor atoms = patches_of_atoms(below, on_host(dictionary.atoms()));
  const Tensor filters =
      patches_of_filters(below, on_host(dictionary.filters ? dictionary.filters() : dictionary.atoms()));
  const Index codes = atoms.dim(0), size = atoms.size() / codes;
  return {.pixels = patch_shape(below, dictionary.shape),
          .whitening = {.mean = Tensor::zeros({size}),
                        .forward = filters.reshaped({codes, size}),
                        .inverse = transpose(Value(atoms.reshaped({codes, size})), {1, 0}).tensor()}};
}

}  // namespace basin
