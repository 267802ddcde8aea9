#include "models/conv_sparse_coding.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/conv_lipschitz.h"
#include "energy/minimise/dictionary.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// [C, H, W]. Throws Error when the shape is another, or the filters do not fit into it.
Shape image_shape(const ConvSparseCodingOptions& options) {
  Shape shape = options.image_shape;
  if (shape.size() == 2) shape.insert(shape.begin(), 1);
  const bool fits = shape.size() == 3 && options.filters >= 1 && options.filter[0] >= 1 &&
                    options.filter[1] >= 1 && options.filter[0] <= shape[1] && options.filter[1] <= shape[2];
  if (!fits) {
    throw Error(
        fmt::format("[conv_sparse_coding] expected images [C, H, W] and at least one filter no larger than "
                    "they are, received images {} "
                    "and {} filters of {} x {}",
                    to_string(options.image_shape), options.filters, options.filter[0], options.filter[1]));
  }
  return shape;
}

}  // namespace

ConvSparseCoding conv_sparse_coding(const ConvSparseCodingOptions& options) {
  const Shape image = image_shape(options);
  const Index h = options.filter[0], w = options.filter[1];
  ConvSparseCoding model;
  model.y = model.graph.real("y", image);
  model.z = model.graph.variable("z", options.non_negative ? Domain::NonNegative : Domain::Real,
                                 {options.filters, image[1] + h - 1, image[2] + w - 1});
  const auto decoder = std::make_shared<const ConvTranspose2d>(
      options.filters, image[0], options.filter, options.key,
      ConvOptions{.padding = {h - 1, w - 1}, .bias = false, .placement = options.placement});
  const Tensor& weight = decoder->weight().tensor();
  weight.copy_from(normal(options.key.fold("z.y.weight"), weight.shape(), options.placement));
  scale_to_unit_norm(weight);
  model.graph.add(SquaredError(model.y, decoder, model.z)).add(L1(model.z, options.lambda));
  model.decoder = decoder;
  return model;
}

ConvPsd conv_psd(const ConvPsdOptions& options) {
  if (!(options.alpha > 0.0 && std::isfinite(options.alpha))) {
    throw Error(fmt::format(
        "[conv_psd] expected alpha > 0, received {}; without a prediction it is convolutional sparse coding",
        options.alpha));
  }
  ConvSparseCoding code = conv_sparse_coding(options.code);
  const auto encoder = std::make_shared<const ConvEncoder>(
      code.y.shape[0], options.code.filters, options.code.filter, options.code.key.fold("y.z"),
      EncoderOptions{.kind = options.encoder, .placement = options.code.placement});
  ConvPsd model{
      .graph = std::move(code.graph), .y = code.y, .z = code.z, .decoder = code.decoder, .encoder = encoder};
  model.graph.add(SquaredError(model.z, encoder, model.y, {.weight = options.alpha}));
  start_encoder(model, options.code.lambda);
  return model;
}

void start_encoder(const ConvPsd& model, double lambda) {
  const Tensor& filters = model.decoder->weight().tensor();
  const double bound = conv_lipschitz(filters);
  if (!(bound > 0.0)) return;
  model.encoder->weight().tensor().copy_from((Value(filters) * (1.0 / bound)).tensor());
  if (model.encoder->kind() == EncoderKind::Shrinkage) model.encoder->scale()->tensor().fill(lambda / bound);
}

}  // namespace basin
