#include "tensor/cuda/kernels/reduce.h"

#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/kernels/largest.h"
#include "tensor/cuda/reduction.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

namespace {

ReductionSizes over_middle(Index outer, Index middle, Index inner) {
  return {outer * inner, middle, inner == 1 ? Neighbours::Items : Neighbours::Outputs};
}

}  // namespace

void CudaBackend::reduce(Reduction op, Dtype dtype, const void* x, void* y, Index outer, Index middle,
                         Index inner) {
  const ReductionSizes sizes = over_middle(outer, middle, inner);
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    const auto* from = static_cast<const T*>(x);
    auto* to = static_cast<T*>(y);
    switch (op) {
      case Reduction::Sum:
        return launch_reduction(runtime_, pool_, "reduce", sizes, Sum<T>(from, to, middle, inner));
      case Reduction::Max:
        return launch_reduction(runtime_, pool_, "reduce", sizes, Largest<T>(from, to, middle, inner));
      case Reduction::LogSumExp:
        return launch_reduction(runtime_, pool_, "reduce", sizes, LogSumExp<T>(from, to, middle, inner));
    }
  });
}

void CudaBackend::largest(Dtype dtype, const void* x, void* y, Index rows, Index columns, Index count) {
  if (rows <= 0 || columns <= 0) return;
  if (count <= 1) fill(dtype, y, 0.0, rows * columns);
  if (count <= 0) return;
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    const auto* from = static_cast<const T*>(x);
    auto* to = static_cast<T*>(y);
    if (count == 1) {
      const ReductionSizes sizes{rows, columns, Neighbours::Items};
      launch_reduction(runtime_, pool_, "largest", sizes, MarkLargest<T>{from, to, columns});
    } else {
      launch_groups(runtime_, "largest", rows, MarkCount<T>{from, to, columns, count});
    }
  });
}

void CudaBackend::dot(Dtype dtype, const void* a, const void* b, Index n, double* sum) {
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    launch_reduction(runtime_, pool_, "dot", {1, n, Neighbours::Items},
                     Dot<T>{static_cast<const T*>(a), static_cast<const T*>(b), sum});
  });
}

void CudaBackend::limit_norms(Dtype dtype, void* x, Index outer, Index middle, Index inner, double limit) {
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    auto* numbers = static_cast<T*>(x);
    const Scratch<T> factors(pool_, static_cast<std::size_t>(outer * inner));
    launch_reduction(runtime_, pool_, "limit_norms", over_middle(outer, middle, inner),
                     Shortening<T>(numbers, factors.data(), middle, inner, limit));
    launch(runtime_, "limit_norms", outer * middle * inner,
           Shorten<T>{numbers, factors.data(), middle, inner});
  });
}

void CudaBackend::column_sums(Dtype dtype, const void* x, Index rows, Index columns, double alpha,
                              double beta, void* sums) {
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    launch_reduction(runtime_, pool_, "column_sums", {columns, rows, Neighbours::Outputs},
                     ColumnSums<T>{static_cast<const T*>(x), static_cast<T*>(sums), columns, alpha, beta});
  });
}

void CudaBackend::softplus_difference(Dtype dtype, const void* x, const void* bias, Index rows, Index columns,
                                      double from, double to, double* y) {
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    launch_reduction(runtime_, pool_, "softplus_difference", {rows, columns, Neighbours::Items},
                     SoftplusDifference<T>{static_cast<const T*>(x), static_cast<const T*>(bias), columns,
                                           static_cast<T>(from), static_cast<T>(to), y});
  });
}

}  // namespace basin
