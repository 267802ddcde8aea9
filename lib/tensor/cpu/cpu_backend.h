#pragma once

#include "tensor/backend.h"

namespace basin {

/// The CPU kernels: OpenMP over big inputs, SIMD inside, results (except gemm's) independent of the thread
/// count.
///
/// Each member is defined in the file of its concept: memory.cpp (allocate .. cast), binary.cpp,
/// strided_copy.cpp, reduce.cpp, largest.cpp, check.cpp, gather.cpp, vector_math.cpp (unary), gemm.cpp,
/// conv/conv.cpp, windows.cpp, biased.cpp, random.cpp, units.cpp, statistics.cpp, steps.cpp (of
/// optimizers).
class CpuBackend final : public Backend {
 public:
  void* allocate(std::size_t bytes) override;
  void release(void* address, std::size_t bytes) noexcept override;
  void upload(void* device, const void* host, std::size_t bytes) override;
  void download(void* host, const void* device, std::size_t bytes) override;
  void copy(void* to, const void* from, std::size_t bytes) override;

  void fill(Dtype dtype, void* y, double value, Index n) override;
  void cast(Dtype from, const void* x, Dtype to, void* y, Index n) override;
  void axpby(Dtype dtype, double alpha, const void* x, double beta, void* y, Index n) override;
  void unary(Unary op, Dtype dtype, const void* x, void* y, Index n) override;
  void binary(Binary op, Dtype dtype, const void* a, const Shape& strides_a, const void* b,
              const Shape& strides_b, void* y, const Shape& shape) override;
  void strided_copy(Dtype dtype, const void* x, const Shape& strides, void* y, const Shape& shape) override;
  void reduce(Reduction op, Dtype dtype, const void* x, void* y, Index outer, Index middle,
              Index inner) override;
  void largest(Dtype dtype, const void* x, void* y, Index rows, Index columns, Index count) override;
  void check(Check what, Dtype dtype, const void* x, Index n, void* flag) override;
  void gather(const IndexCall& call) override;
  void scatter(const IndexCall& call) override;
  void gemm(const GemmCall& call) override;
  void convolve(const ConvCall& call) override;
  void windows(const WindowCall& call) override;
  void biased(const BiasedCall& call) override;
  void biased_gradient(const BiasedGradientCall& call) override;

  void uniform(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) override;
  void normal(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) override;
  void bernoulli(Dtype dtype, std::uint64_t key, std::uint64_t first, const void* p, void* y,
                 Index n) override;

  void units(const UnitCall& call) override;
  void momentum(const MomentumCall& call) override;
  void adaptive(const AdaptiveCall& call) override;
  void restrain(const RestrainCall& call) override;
  void dot(Dtype dtype, const void* a, const void* b, Index n, double* sum) override;
  void limit_norms(Dtype dtype, void* x, Index outer, Index middle, Index inner, double limit) override;
  void column_sums(Dtype dtype, const void* x, Index rows, Index columns, double alpha, double beta,
                   void* sums) override;
  void softplus_difference(Dtype dtype, const void* x, const void* bias, Index rows, Index columns,
                           double from, double to, double* y) override;
};

}  // namespace basin
