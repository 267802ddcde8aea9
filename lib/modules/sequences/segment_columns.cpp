#include "modules/sequences/segment_columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

SegmentColumns::SegmentColumns(Index columns, SegmentColumnsOptions options)
    : columns_(columns), options_(options) {
  const auto& [longest, parts] = options_;
  if (longest < 1 || longest > columns || parts < 1)
    throw Error(fmt::format(
        "[segment_columns] expected segments of 1 to {} columns and at least 1 part, received {} and {}",
        columns, longest, parts));
  const Index segments = columns * longest;
  std::vector<double> shares(static_cast<std::size_t>(columns * segments * parts), 0.0);
  for (Index t = 0; t < columns; ++t) {
    for (Index d = 0; d < longest; ++d) {
      const double size = static_cast<double>(d + 1) / static_cast<double>(parts);
      for (Index b = 0; b < parts; ++b) {
        const double begin = static_cast<double>(t - d) + size * static_cast<double>(b), end = begin + size;
        for (Index s = std::max<Index>(t - d, 0); s <= t; ++s) {
          const double shared =
              std::min(end, static_cast<double>(s + 1)) - std::max(begin, static_cast<double>(s));
          if (shared > 0.0)
            shares[static_cast<std::size_t>((s * segments + t * longest + d) * parts + b)] = shared / size;
        }
      }
    }
  }
  shares_ = Tensor::from(shares, {columns, segments * parts}, {Dtype::F64, Device::Cpu});
  std::vector<double> one_hot(static_cast<std::size_t>(longest * longest), 0.0);
  for (Index d = 0; d < longest; ++d) one_hot[static_cast<std::size_t>(d * longest + d)] = 1.0;
  durations_ = Tensor::from(one_hot, {1, 1, longest, longest}, {Dtype::F64, Device::Cpu});
}

Value SegmentColumns::forward(const Value& x, const Context& /*context*/) const {
  const auto& [longest, parts] = options_;
  if (x.rank() < 2 || x.dim(-1) != columns_)
    throw Error(
        fmt::format("[segment_columns] expected [N, ..., {}], received {}", columns_, to_string(x.shape())));
  const Index rows = x.dim(0), segments = columns_ * longest;
  const Value maps = reshape(x, {rows, -1, columns_});
  const Index size = maps.dim(1);
  const Value means = reshape(matmul(maps, shares_.to(x.placement())), {rows, size, segments, parts});
  const Value read = reshape(transpose(means, {0, 2, 3, 1}), {rows, columns_, longest, parts * size});
  const Value durations =
      broadcast_to(Value(durations_.to(x.placement())), {rows, columns_, longest, longest});
  return concat({read, durations}, 3);
}

}  // namespace basin
