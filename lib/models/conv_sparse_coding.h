#pragma once

#include <memory>

#include "energy/graph.h"
#include "models/conv_encoder.h"

namespace basin {

struct ConvSparseCodingOptions {
  Shape image_shape = {};                // of one y: [C, H, W], or [H, W] for one channel
  Index filters = 0;                     // K
  std::array<Index, 2> filter = {9, 9};  // height and width
  double lambda = 0.1;                   // penalty weight of a code's absolute value
  bool non_negative = false;             // codes >= 0
  Placement placement = {};
  Key key;  // no default: filters are not drawn without one
};

struct ConvSparseCoding {
  FactorGraph graph;
  Variable y, z;
  std::shared_ptr<const ConvTranspose2d> decoder;
};

/// Convolutional sparse coding: E(y, z) = 1/2 |y - sum_k D_k * z_k|^2 + lambda |z|_1, y [C, H, W] an image, z
/// [K, H + h - 1, W + w - 1] a code map for each filter. A map is larger than the image: it has a place for
/// every filter that touches the image, so that its border is explained by filters that reach over it, and
/// needs no mask.
///
/// Variables "y" and "z"; parameter "z.y.weight" [K, C, h, w], the filters: normal numbers under
/// key.fold("z.y.weight"), scaled to norm 1; training keeps them there (LatentMinimumOptions::unit_norm).
/// Throws Error when a size is missing or the filters are larger than the image. Reference: Zeiler, Krishnan,
/// Taylor, Fergus 2010, "Deconvolutional networks", eq. 2.
ConvSparseCoding conv_sparse_coding(const ConvSparseCodingOptions& options);

struct ConvPsdOptions {
  ConvSparseCodingOptions code;
  double alpha = 1.0;  // weight of the prediction
  EncoderKind encoder = EncoderKind::Shrinkage;
};

struct ConvPsd {
  FactorGraph graph;
  Variable y, z;
  std::shared_ptr<const ConvTranspose2d> decoder;
  std::shared_ptr<const ConvEncoder> encoder;
};

/// Convolutional predictive sparse decomposition: the same + alpha / 2 |z - g(y)|^2 with a ConvEncoder g, all
/// of which inference minimises. Parameters of the encoder are "y.z.<name>". Throws Error as
/// conv_sparse_coding(), and unless alpha > 0.
/// Reference: Kavukcuoglu and others 2010 (see ConvEncoder), eq. 4.
ConvPsd conv_psd(const ConvPsdOptions& options);

/// Makes the encoder one ISTA step from zero: filters D / L, threshold lambda / L, with L of conv_lipschitz.
/// Where encoders start once the filters have their first values.
void start_encoder(const ConvPsd& model, double lambda);

/// How alike different filters are up to shifts: the mean over filters k of
///   max over j != k and all shifts of |<D_k, shifted D_j>| / (|D_k| |D_j|),
/// filters being zero outside of their extents; 1 when each filter is a shifted copy of another one (or of
/// its negative). Filters of zeros are left out; NaN for fewer than two others. `filters` is [K, ..., h, w].
double mean_best_correlation(const Tensor& filters);

}  // namespace basin
