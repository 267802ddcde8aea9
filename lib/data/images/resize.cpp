#include "data/images/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/error.h"

namespace basin {
namespace {

/// One line, `from` numbers `in_stride` apart, as `to` numbers `out_stride` apart.
void resize_line(const float* in, Index from, Index in_stride, float* out, Index to, Index out_stride) {
  const double scale = static_cast<double>(from) / static_cast<double>(to), reach = std::max(1.0, scale);
  for (Index i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale - 0.5;
    const Index first = std::max<Index>(0, static_cast<Index>(std::ceil(centre - reach))),
                last = std::min(from - 1, static_cast<Index>(std::floor(centre + reach)));
    double sum = 0.0, norm = 0.0;
    for (Index k = first; k <= last; ++k) {
      const double weight = std::max(0.0, 1.0 - std::abs(static_cast<double>(k) - centre) / reach);
      sum += weight * static_cast<double>(in[k * in_stride]);
      norm += weight;
    }
    out[i * out_stride] = static_cast<float>(sum / norm);
  }
}

}  // namespace

Tensor resized(const Tensor& image, Index height, Index width) {
  if (height < 1 || width < 1)
    throw Error(fmt::format("[resize] expected a size of at least 1 x 1, received {} x {}", height, width));
  const Index rows = image.dim(0), columns = image.dim(1);
  const Tensor wide({rows, width}), out({height, width});
  for (Index y = 0; y < rows; ++y)
    resize_line(image.host<float>() + y * columns, columns, 1, wide.host<float>() + y * width, width, 1);
  for (Index x = 0; x < width; ++x)
    resize_line(wide.host<float>() + x, rows, width, out.host<float>() + x, height, width);
  return out;
}

Tensor middle(const Tensor& image, Index height, Index width) {
  const Index rows = image.dim(0), columns = image.dim(1);
  if (height < 1 || width < 1 || height > rows || width > columns) {
    throw Error(fmt::format("[crop] expected a size of 1 x 1 to the image's {} x {}, received {} x {}", rows,
                            columns, height, width));
  }
  const Tensor out({height, width});
  const float* from = image.host<float>() + (rows - height) / 2 * columns + (columns - width) / 2;
  for (Index y = 0; y < height; ++y) std::copy_n(from + y * columns, width, out.host<float>() + y * width);
  return out;
}

}  // namespace basin
