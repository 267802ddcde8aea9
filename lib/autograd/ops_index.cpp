#include <fmt/format.h>

#include <cmath>
#include <numeric>
#include <utility>

#include "autograd/indexed.h"
#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

Shape without_last(const Shape& shape) { return {shape.begin(), shape.end() - 1}; }

/// One class of each row of [.., K].
Indexing of_classes(const Shape& rows, Index classes) {
  Shape whole = rows;
  whole.push_back(classes);
  return {.outer = element_count(rows), .middle = classes, .whole = std::move(whole), .chosen = rows};
}

const Tensor& checked_rows(const char* who, const Value& x, const Tensor& indices) {
  const Tensor& from = raw::checked(who, x);
  if (from.rank() == 0) {
    throw Error(fmt::format("[{}] expected [.., K], received a scalar; give it a last axis of classes", who));
  }
  raw::checked(who, indices);
  raw::check_placements(who, from, indices);
  if (indices.shape() != without_last(from.shape())) {
    throw Error(fmt::format("[{}] expected indices of shape {}, received {}; give one index a row", who,
                            to_string(without_last(from.shape())), to_string(indices.shape())));
  }
  check_indices(who, indices, from.dim(-1));
  return from;
}

}  // namespace

void check_whole(const char* who, Dtype dtype, Index count) {
  constexpr Index kWholeF32 = Index{1} << 24;  // beyond it f32 skips whole numbers
  if (dtype == Dtype::F32 && count > kWholeF32) {
    throw Error(
        fmt::format("[{}] expected at most {} classes in f32, received {}; use f64", who, kWholeF32, count));
  }
}

void check_indices(const char* who, const Tensor& indices, Index count) {
  check_whole(who, indices.dtype(), count);
  const std::vector<double> values = indices.values();
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (values[row] >= 0.0 && values[row] < static_cast<double>(count) &&
        values[row] == std::floor(values[row]))
      continue;
    throw Error(
        fmt::format("[{}] expected indices that are whole numbers in 0 .. {}, received {} in row {}; "
                    "check the labels",
                    who, count - 1, values[row], row));
  }
}

Value gathered(const Value& x, const Tensor& indices, const Indexing& at) {
  const Tensor& from = x.tensor();
  Tensor y(at.chosen, from.placement());
  if (y.size() > 0) {
    IndexCall call = at.call(from.dtype(), indices);
    call.x = from.data();
    call.y = y.data();
    backend(from.device()).gather(call);
  }
  return Value::result(std::move(y), {x},
                       [indices, at](std::size_t, const Value& gradient, const Values&, const Value&) {
                         return scattered(gradient, indices, at);
                       });
}

Value scattered(const Value& x, const Tensor& indices, const Indexing& at) {
  const Tensor& from = x.tensor();
  Tensor y(at.whole, from.placement());
  if (from.size() == 0) {
    y.fill(0.0);
  } else {
    IndexCall call = at.call(from.dtype(), indices);
    call.x = from.data();
    call.y = y.data();
    backend(from.device()).scatter(call);
  }
  return Value::result(std::move(y), {x},
                       [indices, at](std::size_t, const Value& gradient, const Values&, const Value&) {
                         return gathered(gradient, indices, at);
                       });
}

Value take(const Value& x, const Tensor& indices) {
  const Tensor& from = checked_rows("take", x, indices);
  return gathered(x, indices, of_classes(indices.shape(), from.dim(-1)));
}

Value embedding(const Value& table, const Tensor& indices) {
  const Tensor& from = raw::checked("embedding", table);
  raw::checked("embedding", indices);
  raw::check_placements("embedding", from, indices);
  if (from.rank() == 0) {
    throw Error("[embedding] expected a table [V, ...], received a scalar; give it a first axis of rows");
  }
  check_indices("embedding", indices, from.dim(0));
  Shape chosen = indices.shape();
  chosen.insert(chosen.end(), from.shape().begin() + 1, from.shape().end());
  return gathered(table, indices,
                  {.outer = 1,
                   .middle = from.dim(0),
                   .inner = element_count({from.shape().begin() + 1, from.shape().end()}),
                   .count = indices.size(),
                   .whole = from.shape(),
                   .chosen = std::move(chosen)});
}

Value one_hot(const Tensor& indices, Index count) {
  raw::checked("one_hot", indices);
  check_indices("one_hot", indices, count);
  return scattered(Tensor::full(indices.shape(), 1.0, indices.placement()), indices,
                   of_classes(indices.shape(), count));
}

Value categorical_cross_entropy(const Value& logits, const Tensor& indices) {
  checked_rows("categorical_cross_entropy", logits, indices);
  return log_sum_exp(logits, -1) - gathered(logits, indices, of_classes(indices.shape(), logits.dim(-1)));
}

Tensor argmax(const Value& x) {
  const Value first = largest(x.detached(), 1);
  const Index count = x.dim(-1);
  check_whole("argmax", x.placement().dtype, count);
  std::vector<double> places(static_cast<std::size_t>(count));
  std::iota(places.begin(), places.end(), 0.0);
  return matmul(reshape(first, {-1, count}), Tensor::from(places, {count, 1}, x.placement()))
      .tensor()
      .reshaped(without_last(x.shape()));
}

}  // namespace basin
