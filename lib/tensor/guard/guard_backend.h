#pragma once

#include <atomic>
#include <cstdint>

#include "tensor/backend.h"
#include "tensor/guard/guarded_memory.h"

namespace basin {

/// What a guarded device has done since the start: tests count what a step costs (allocations are
/// allocation_count's).
struct GuardWork {
  std::uint64_t gemms = 0;
  std::uint64_t products = 0;  // of these, with m, n and k all above 1: products of matrices
  std::uint64_t downloads = 0;
};

/// The kernels of another backend, on memory that host code cannot touch: a device for tests that needs no
/// device.
///
/// Every call opens just the buffers it names, for reading or for writing, runs the kernel, and closes them.
/// So host code that peeks into device memory faults, as do kernels that write to an input or run past a
/// buffer; a host address handed to a kernel is an Error. Kernels run one at a time; calls may come from any
/// thread.
class GuardBackend final : public Backend {
 public:
  /// `kernels` must work on host memory and outlive this.
  explicit GuardBackend(Backend& kernels) : kernels_(kernels) {}

  GuardWork work() const { return {gemms_, products_, downloads_}; }

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

  GuardedMemory& memory() { return memory_; }

 private:
  Backend& kernels_;
  GuardedMemory memory_;
  std::atomic<std::uint64_t> gemms_{0}, products_{0}, downloads_{0};
};

/// Of Device::Guard, or of Device::CudaEmulated.
GuardWork guard_work(Device device = Device::Guard);

}  // namespace basin
