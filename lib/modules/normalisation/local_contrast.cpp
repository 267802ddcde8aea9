#include "modules/normalisation/local_contrast.h"

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <vector>

#include "autograd/ops.h"
#include "modules/normalisation/divisor.h"
#include "tensor/error.h"

namespace basin {
namespace {

Tensor gaussian(const LocalContrastOptions& options) {
  constexpr Index kMost = 1 << 10;
  if (options.size < 1 || options.size > kMost || options.size % 2 == 0 ||
      !(options.deviation * options.deviation > 0.0) || !is_divisor(options.floor)) {
    throw Error(
        fmt::format("[local_contrast] expected an odd size up to {}, a deviation > 0 and a finite floor "
                    "above 0 in floats, "
                    "received {}, {}, {}",
                    kMost, options.size, options.deviation, options.floor));
  }
  std::vector<double> weights;
  const Index reach = options.size / 2;
  for (Index p = -reach; p <= reach; ++p) {
    for (Index q = -reach; q <= reach; ++q)
      weights.push_back(
          std::exp(-0.5 * static_cast<double>(p * p + q * q) / (options.deviation * options.deviation)));
  }
  return Tensor::from(std::span<const double>(weights), {1, 1, options.size, options.size},
                      {Dtype::F64, Device::Cpu});
}

}  // namespace

LocalContrast::LocalContrast(LocalContrastOptions options) : options_(options), window_(gaussian(options)) {}

Value LocalContrast::forward(const Value& x, const Context&) const {
  if (x.rank() != 4) {
    throw Error(fmt::format("[local_contrast] expected maps [N, C, H, W], received {}; reshape the input",
                            to_string(x.shape())));
  }
  const Value window = window_.to(x.placement());
  const Conv2dOptions same{.padding = {options_.size / 2, options_.size / 2}};
  const Value one(Tensor::full({1, 1, x.dim(2), x.dim(3)}, static_cast<double>(x.dim(1)), x.placement()));
  const Value total = conv2d(one, window, same);  // of the weights inside of the image, over all maps
  const auto local_mean = [&](const Value& maps) {
    return conv2d(sum(maps, {1}, {.keep = true}), window, same) / total;
  };
  const Value v = x - local_mean(x);
  if (!options_.divides) return v;
  const Value variance = local_mean(square(v));
  // Of no contrast the root is 0, without a slope.
  const Value none = 1.0 - step(variance.detached());
  const Value sigma = sqrt(variance + none) * (1.0 - none);
  const Value floor(Tensor::full({}, options_.floor, x.placement()));
  return v / maximum(maximum(sigma, mean(sigma, {1, 2, 3}, {.keep = true})), floor);
}

}  // namespace basin
