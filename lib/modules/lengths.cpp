#include "modules/lengths.h"

#include <fmt/format.h>

#include <cmath>

#include "tensor/error.h"

namespace basin {
namespace {

std::vector<Index> checked_lengths(const Tensor& lengths, Index rows, Index steps) {
  std::vector<Index> whole;
  for (const double length : lengths.values()) {
    if (!(length >= 1.0 && length <= static_cast<double>(steps) && length == std::floor(length)) ||
        lengths.dim(0) != rows) {
      throw Error(fmt::format(
          "[lengths] expected whole lengths of {} sequences from 1 to {}, received {} of them and {}", rows,
          steps, lengths.dim(0), length));
    }
    whole.push_back(static_cast<Index>(length));
  }
  return whole;
}

}  // namespace

std::vector<Index> lengths_of(const Context& context, Index rows, Index steps) {
  return context.lengths.defined() ? checked_lengths(context.lengths, rows, steps) : std::vector<Index>{};
}

Tensor length_mask(const Tensor& lengths, const Shape& shape, std::size_t axis, Placement placement) {
  std::vector<double> mask;
  for (const Index length : checked_lengths(lengths, shape[0], shape[axis])) {
    for (Index t = 0; t < shape[axis]; ++t) mask.push_back(t < length ? 1.0 : 0.0);
  }
  return Tensor::from(mask, shape, placement);
}

}  // namespace basin
