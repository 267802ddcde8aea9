#include "modules/normalisation/batch_norm.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "modules/normalisation/divisor.h"
#include "tensor/error.h"

namespace basin {

BatchNorm::BatchNorm(Index features, BatchNormOptions options)
    : options_(options),
      mean_(Parameter::buffer("mean", Tensor::zeros({std::max<Index>(features, 0)}, options.placement))),
      variance_(Parameter::buffer("variance",
                                  Tensor::full({std::max<Index>(features, 0)}, 1.0, options.placement))) {
  if (features < 1 || !(options.momentum > 0.0 && options.momentum <= 1.0) || !is_divisor(options.epsilon)) {
    throw Error(
        fmt::format("[batch_norm] expected at least one feature, a momentum in (0, 1] and a finite epsilon "
                    "above 0 in floats, "
                    "received {}, {}, {}",
                    features, options.momentum, options.epsilon));
  }
  if (!options.affine) return;
  scale_.emplace("scale", Tensor::full({features}, 1.0, options.placement));
  shift_.emplace("shift", Tensor::zeros({features}, options.placement));
}

Value BatchNorm::forward(const Value& x, const Context& context) const {
  const Index features = mean_.tensor().size();
  if (x.rank() < 2 || x.dim(1) != features) {
    throw Error(fmt::format(
        "[batch_norm] expected [N, {0}] or [N, {0}, ...], received {1}; change the layer's features",
        features, to_string(x.shape())));
  }
  Shape along(static_cast<std::size_t>(x.rank()), 1);  // features, as x has them
  along[1] = features;
  Value m = reshape(mean_.value().detached(), along), v = reshape(variance_.value().detached(), along);
  Value centred;
  if (context.observes(mean_)) {
    if (x.dim(0) / context.replicas < 2) {
      throw Error(fmt::format(
          "[batch_norm] expected at least 2 samples in a batch of training, received {}; one sample has no "
          "variance, so use larger batches",
          x.dim(0) / context.replicas));
    }
    std::vector<Index> axes{0};
    for (Index axis = 2; axis < x.rank(); ++axis) axes.push_back(axis);
    const Value batch_mean = mean(x, axes, {.keep = true});
    centred = x - batch_mean;
    const Value batch_variance = mean(square(centred), axes, {.keep = true});
    const double count = static_cast<double>(x.tensor().size() / features), share = options_.momentum;
    const auto slide = [&](const Parameter& buffer, const Value& old, const Value& now, double scale) {
      context.observe(buffer,
                      ((1.0 - share) * old + (share * scale) * now.detached()).tensor().reshaped({features}));
    };
    slide(mean_, m, batch_mean, 1.0);
    slide(variance_, v, batch_variance, count / (count - 1.0));
    v = batch_variance;
  } else {
    centred = x - m;
  }
  Value factor = 1.0 / sqrt(v + options_.epsilon);
  if (scale_) factor = factor * reshape(scale_->value(), along);
  const Value y = centred * factor;
  return shift_ ? y + reshape(shift_->value(), along) : y;
}

std::vector<Parameter> BatchNorm::parameters() const {
  std::vector<Parameter> result;
  if (scale_) result = {*scale_, *shift_};
  result.push_back(mean_);
  result.push_back(variance_);
  return result;
}

}  // namespace basin
