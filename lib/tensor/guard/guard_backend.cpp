#include "tensor/guard/guard_backend.h"

#include <array>
#include <vector>

#include "tensor/guard/access.h"

namespace basin {
namespace {

using Opening = GuardedMemory::Opening;

/// What a kernel reads that walks `shape` with `strides`: from the lowest to the highest element.
Access reads(Dtype dtype, const void* x, const Shape& strides, const Shape& shape) {
  if (element_count(shape) == 0) return {};
  Index lowest = 0, highest = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const Index reach = strides[axis] * (shape[axis] - 1);
    (reach < 0 ? lowest : highest) += reach;
  }
  const auto* first = static_cast<const std::byte*>(x) + lowest * static_cast<Index>(byte_size(dtype));
  return {first, bytes_of(dtype, highest - lowest + 1), false};
}

/// A [rows, columns] matrix whose rows are `pitch` elements apart.
Index matrix_reach(Index rows, Index columns, Index pitch) {
  return rows == 0 || columns == 0 ? 0 : (rows - 1) * pitch + columns;
}

std::array<Access, 4> accesses_of(const MomentumCall& call) {
  return {reads(call.dtype, call.gradient, call.n), writes(call.dtype, call.velocity, call.n),
          writes(call.dtype, call.parameter, call.n)};
}

std::array<Access, 4> accesses_of(const AdaptiveCall& call) {
  return {reads(call.dtype, call.gradient, call.n), optional(writes(call.dtype, call.mean, call.n)),
          writes(call.dtype, call.square, call.n), writes(call.dtype, call.parameter, call.n)};
}

template <class Call>
std::vector<Access> accesses_of_all(std::span<const Call> calls) {
  std::vector<Access> all;
  for (const Call& call : calls) {
    for (const Access& access : accesses_of(call)) all.push_back(access);
  }
  return all;
}

}  // namespace

void* GuardBackend::allocate(std::size_t bytes) { return memory_.allocate(bytes); }

void GuardBackend::release(void* address, std::size_t) noexcept { memory_.release(address); }

void GuardBackend::upload(void* device, const void* host, std::size_t bytes) {
  const Opening open(memory_, "upload", {{device, bytes, true}});
  kernels_.upload(device, host, bytes);
}

void GuardBackend::download(void* host, const void* device, std::size_t bytes) {
  ++downloads_;
  const Opening open(memory_, "download", {{device, bytes, false}});
  kernels_.download(host, device, bytes);
}

void GuardBackend::copy(void* to, const void* from, std::size_t bytes) {
  const Opening open(memory_, "copy", {{to, bytes, true}, {from, bytes, false}});
  kernels_.copy(to, from, bytes);
}

void GuardBackend::fill(Dtype dtype, void* y, double value, Index n) {
  const Opening open(memory_, "fill", {writes(dtype, y, n)});
  kernels_.fill(dtype, y, value, n);
}

void GuardBackend::cast(Dtype from, const void* x, Dtype to, void* y, Index n) {
  const Opening open(memory_, "cast", {reads(from, x, n), writes(to, y, n)});
  kernels_.cast(from, x, to, y, n);
}

void GuardBackend::axpby(Dtype dtype, double alpha, const void* x, double beta, void* y, Index n) {
  const Opening open(memory_, "axpby", {reads(dtype, x, n), writes(dtype, y, n)});
  kernels_.axpby(dtype, alpha, x, beta, y, n);
}

void GuardBackend::unary(Unary op, Dtype dtype, const void* x, void* y, Index n) {
  const Opening open(memory_, "unary", {reads(dtype, x, n), writes(dtype, y, n)});
  kernels_.unary(op, dtype, x, y, n);
}

void GuardBackend::binary(Binary op, Dtype dtype, const void* a, const Shape& strides_a, const void* b,
                          const Shape& strides_b, void* y, const Shape& shape) {
  const Opening open(memory_, "binary",
                     {reads(dtype, a, strides_a, shape), reads(dtype, b, strides_b, shape),
                      writes(dtype, y, element_count(shape))});
  kernels_.binary(op, dtype, a, strides_a, b, strides_b, y, shape);
}

void GuardBackend::strided_copy(Dtype dtype, const void* x, const Shape& strides, void* y,
                                const Shape& shape) {
  const Opening open(memory_, "strided_copy",
                     {reads(dtype, x, strides, shape), writes(dtype, y, element_count(shape))});
  kernels_.strided_copy(dtype, x, strides, y, shape);
}

void GuardBackend::reduce(Reduction op, Dtype dtype, const void* x, void* y, Index outer, Index middle,
                          Index inner) {
  const Opening open(memory_, "reduce",
                     {reads(dtype, x, outer * middle * inner), writes(dtype, y, outer * inner)});
  kernels_.reduce(op, dtype, x, y, outer, middle, inner);
}

void GuardBackend::largest(Dtype dtype, const void* x, void* y, Index rows, Index columns, Index count) {
  const Opening open(memory_, "largest", {reads(dtype, x, rows * columns), writes(dtype, y, rows * columns)});
  kernels_.largest(dtype, x, y, rows, columns, count);
}

void GuardBackend::check(Check what, Dtype dtype, const void* x, Index n, void* flag) {
  const Opening open(memory_, "check", {reads(dtype, x, n), writes(Dtype::F32, flag, 1)});
  kernels_.check(what, dtype, x, n, flag);
}

void GuardBackend::gather(const IndexCall& call) {
  const Opening open(
      memory_, "gather",
      {reads(call.dtype, call.x, call.whole_size()), reads(call.dtype, call.index, call.outer * call.count),
       writes(call.dtype, call.y, call.chosen_size())});
  kernels_.gather(call);
}

void GuardBackend::scatter(const IndexCall& call) {
  const Opening open(
      memory_, "scatter",
      {reads(call.dtype, call.x, call.chosen_size()), reads(call.dtype, call.index, call.outer * call.count),
       writes(call.dtype, call.y, call.whole_size())});
  kernels_.scatter(call);
}

void GuardBackend::gemm(const GemmCall& call) {
  gemms_ += static_cast<std::uint64_t>(call.batch);
  if (call.m > 1 && call.n > 1 && call.k > 1) products_ += static_cast<std::uint64_t>(call.batch);
  const auto reach = [&](Index one, Index stride) {
    return one == 0 || call.batch == 0 ? 0 : (call.batch - 1) * stride + one;
  };
  const Index a =
      call.transpose_a ? matrix_reach(call.k, call.m, call.lda) : matrix_reach(call.m, call.k, call.lda);
  const Index b =
      call.transpose_b ? matrix_reach(call.n, call.k, call.ldb) : matrix_reach(call.k, call.n, call.ldb);
  const Index c = matrix_reach(call.m, call.n, call.ldc);
  const Opening open(
      memory_, "gemm",
      {reads(call.dtype, call.a, reach(a, call.stride_a)), reads(call.dtype, call.b, reach(b, call.stride_b)),
       writes(call.dtype, call.c, reach(c, call.stride_c))});
  kernels_.gemm(call);
}

void GuardBackend::convolve(const ConvCall& call) {
  const auto access = [&](ConvProduct own, const void* address, Index size) {
    return call.product == own ? writes(call.dtype, call.result, size) : reads(call.dtype, address, size);
  };
  const Opening open(
      memory_, "convolve",
      {access(ConvProduct::Input, call.x, call.x_size()), access(ConvProduct::Filter, call.w, call.w_size()),
       access(ConvProduct::Output, call.y, call.y_size())});
  kernels_.convolve(call);
}

void GuardBackend::windows(const WindowCall& call) {
  const Opening open(memory_, "windows",
                     {reads(call.dtype, call.x, call.x_size()), writes(call.dtype, call.y, call.y_size()),
                      optional(writes(call.dtype, call.index, call.out_size()))});
  kernels_.windows(call);
}

void GuardBackend::biased(const BiasedCall& call) {
  const Index all = call.outer * call.channels * call.inner;
  const Opening open(memory_, "biased",
                     {reads(call.dtype, call.x, all), reads(call.dtype, call.bias, call.channels),
                      writes(call.dtype, call.y, all)});
  kernels_.biased(call);
}

void GuardBackend::biased_gradient(const BiasedGradientCall& call) {
  const Index all = call.outer * call.channels * call.inner;
  const Opening open(memory_, "biased_gradient",
                     {reads(call.dtype, call.y, all), reads(call.dtype, call.gradient, all),
                      writes(call.dtype, call.x, all), writes(call.dtype, call.bias, call.channels)});
  kernels_.biased_gradient(call);
}

void GuardBackend::uniform(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) {
  const Opening open(memory_, "uniform", {writes(dtype, y, n)});
  kernels_.uniform(dtype, key, first, y, n);
}

void GuardBackend::normal(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) {
  const Opening open(memory_, "normal", {writes(dtype, y, n)});
  kernels_.normal(dtype, key, first, y, n);
}

void GuardBackend::bernoulli(Dtype dtype, std::uint64_t key, std::uint64_t first, const void* p, void* y,
                             Index n) {
  const Opening open(memory_, "bernoulli", {reads(dtype, p, n), writes(dtype, y, n)});
  kernels_.bernoulli(dtype, key, first, p, y, n);
}

void GuardBackend::units(const UnitCall& call) {
  const Index all = call.rows * call.units;
  const Opening open(
      memory_, "units",
      {reads(call.dtype, call.input, all), reads(call.dtype, call.bias, call.units),
       optional(reads(call.dtype, call.base, call.units)),
       optional(reads(call.dtype, call.precision, call.units)),
       optional(reads(call.dtype, call.row_scales, call.rows)), optional(writes(call.dtype, call.mean, all)),
       optional(writes(call.dtype, call.sample, all))});
  kernels_.units(call);
}

void GuardBackend::momentum(const MomentumCall& call) {
  const Opening open(memory_, "momentum", accesses_of(call));
  kernels_.momentum(call);
}

void GuardBackend::adaptive(const AdaptiveCall& call) {
  const Opening open(memory_, "adaptive", accesses_of(call));
  kernels_.adaptive(call);
}

void GuardBackend::momentum_all(std::span<const MomentumCall> calls) {
  const Opening open(memory_, "momentum_all", accesses_of_all(calls));
  kernels_.momentum_all(calls);
}

void GuardBackend::adaptive_all(std::span<const AdaptiveCall> calls) {
  const Opening open(memory_, "adaptive_all", accesses_of_all(calls));
  kernels_.adaptive_all(calls);
}

void GuardBackend::restrain(const RestrainCall& call) {
  const Opening open(memory_, "restrain",
                     {reads(call.dtype, call.gradient, call.n), reads(call.dtype, call.parameter, call.n),
                      writes(call.dtype, call.y, call.n)});
  kernels_.restrain(call);
}

void GuardBackend::dot(Dtype dtype, const void* a, const void* b, Index n, double* sum) {
  const Opening open(memory_, "dot", {reads(dtype, a, n), reads(dtype, b, n), writes(Dtype::F64, sum, 1)});
  kernels_.dot(dtype, a, b, n, sum);
}

void GuardBackend::limit_norms(Dtype dtype, void* x, Index outer, Index middle, Index inner, double limit) {
  const Opening open(memory_, "limit_norms", {writes(dtype, x, outer * middle * inner)});
  kernels_.limit_norms(dtype, x, outer, middle, inner, limit);
}

void GuardBackend::column_sums(Dtype dtype, const void* x, Index rows, Index columns, double alpha,
                               double beta, void* sums) {
  const Opening open(memory_, "column_sums", {reads(dtype, x, rows * columns), writes(dtype, sums, columns)});
  kernels_.column_sums(dtype, x, rows, columns, alpha, beta, sums);
}

void GuardBackend::softplus_difference(Dtype dtype, const void* x, const void* bias, Index rows,
                                       Index columns, double from, double to, double* y) {
  const Opening open(
      memory_, "softplus_difference",
      {reads(dtype, x, rows * columns), reads(dtype, bias, columns), writes(Dtype::F64, y, rows)});
  kernels_.softplus_difference(dtype, x, bias, rows, columns, from, to, y);
}

}  // namespace basin
