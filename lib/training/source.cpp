#include "training/source.h"

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <utility>

#include "tensor/error.h"

namespace basin {
namespace {

Shape batch_shape(Index rows, const Variable& variable) {
  Shape shape = variable.shape;
  shape.insert(shape.begin(), rows);
  return shape;
}

/// One tensor that is allocated anew only when the batch size changes.
class Buffer {
 public:
  const Tensor& take(const Shape& shape, Placement placement) {
    if (!tensor_.defined() || tensor_.shape() != shape) {
      tensor_ = Tensor(shape, placement);
    }
    return tensor_;
  }

 private:
  Tensor tensor_;
};

}  // namespace

Source source(const Variable& variable, const Samples& samples, const BatchOptions& options,
              Placement placement) {
  if (samples.sample_size() != variable.size()) {
    throw Error(
        fmt::format("[source] expected samples of {} numbers for variable {} {}, received samples of {}; "
                    "give the variable the "
                    "shape of the data",
                    variable.size(), variable.name, to_string(variable.shape), to_string(samples.shape)));
  }
  auto buffer = std::make_shared<Buffer>();
  auto batch = [&samples, buffer, variable, options, placement](std::span<const Index> rows, Key key) {
    const auto n = static_cast<Index>(rows.size());
    const Tensor& out = buffer->take({n, variable.size()}, placement);
    BatchOptions drawn = options;
    drawn.key = key;
    fill_batch(samples, rows, drawn, out);
    State state;
    state.set(variable, Value(out.reshaped(batch_shape(n, variable))));
    return state;
  };
  return {samples.count, std::move(batch)};
}

Source source(const Variable& variable, const Tensor& values, Placement placement) {
  if (values.rank() < 1 || values.shape() != batch_shape(values.dim(0), variable)) {
    throw Error(fmt::format("[source] expected values [N, {}...] for variable {}, received {}",
                            to_string(variable.shape), variable.name, to_string(values.shape())));
  }
  const Tensor host = values.to(Placement{placement.dtype, Device::Cpu});
  auto buffer = std::make_shared<Buffer>();
  auto gathered = std::make_shared<Buffer>();
  auto batch = [host, buffer, gathered, variable, placement](std::span<const Index> rows,
                                                             Key /*nothing is drawn*/) {
    const auto n = static_cast<Index>(rows.size());
    const Shape shape = batch_shape(n, variable);
    const Tensor& picked = gathered->take(shape, host.placement());
    const auto row_bytes = static_cast<std::size_t>(variable.size()) * byte_size(host.dtype());
    const auto* from = static_cast<const std::byte*>(host.data());
    auto* to = static_cast<std::byte*>(picked.data());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::memcpy(to + i * row_bytes, from + static_cast<std::size_t>(rows[i]) * row_bytes, row_bytes);
    }
    State state;
    if (placement.device == Device::Cpu) {
      state.set(variable, Value(picked));
    } else {
      const Tensor& out = buffer->take(shape, placement);
      out.copy_from(picked);
      state.set(variable, Value(out));
    }
    return state;
  };
  return {host.dim(0), std::move(batch)};
}

}  // namespace basin
