#pragma once

#include "tensor/backend.h"
#include "tensor/cuda/library/cuda_library.h"
#include "tensor/cuda/library/cuda_options.h"
#include "tensor/cuda/memory_pool.h"
#include "tensor/cuda/products.h"
#include "tensor/cuda/runtime.h"

namespace basin {

/// The kernels of an NVIDIA GPU, one source for two devices: nvcc compiles it into libbasin_cuda, and every
/// other compiler into the device "cuda_emulated", which does the same arithmetic in loops on host memory,
/// products by the CPU's kernels. The emulation shows that arithmetic and calls are right; races and geometry
/// of launches it cannot show.
///
/// Nothing waits but download, an upload of more than the driver stages at once, and memory that the pool
/// does not have yet. f32 functions but Pow and LogNdtr, and draws but those of NonNegative and Categorical
/// units, have the CPU's bits; sums are f64 in an order that depends on the extents alone, products the
/// library's. Each member is defined in the file of its concept,
/// as those of CpuBackend: memory.cpp (allocate .. axpby), elementwise.cpp, strided.cpp, reduce.cpp,
/// gather.cpp, gemm.cpp, conv.cpp, windows.cpp, biased.cpp, draws.cpp, steps.cpp.
class CudaBackend final : public Backend {
 public:
  /// Throws Error when there is no such device.
  explicit CudaBackend(const CudaOptions& options)
      : runtime_(options.index), pool_(runtime_), products_(runtime_, options) {}

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
  void momentum_all(std::span<const MomentumCall> calls) override;
  void adaptive_all(std::span<const AdaptiveCall> calls) override;
  void dot(Dtype dtype, const void* a, const void* b, Index n, double* sum) override;
  void limit_norms(Dtype dtype, void* x, Index outer, Index middle, Index inner, double limit) override;
  void column_sums(Dtype dtype, const void* x, Index rows, Index columns, double alpha, double beta,
                   void* sums) override;
  void softplus_difference(Dtype dtype, const void* x, const void* bias, Index rows, Index columns,
                           double from, double to, double* y) override;

  CudaMemory memory() const;
  /// Kernels and products started since the start.
  std::uint64_t launches() const { return runtime_.launches(); }

  cuda::Runtime& runtime() { return runtime_; }
  cuda::MemoryPool& pool() { return pool_; }

 private:
  cuda::Runtime runtime_;
  cuda::MemoryPool pool_;
  cuda::Products products_;
};

/// Those of Device::CudaEmulated: tests count what a step starts.
std::uint64_t emulated_launches();

}  // namespace basin
