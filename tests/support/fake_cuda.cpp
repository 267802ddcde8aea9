// A library of CUDA kernels for machines without a GPU: the tests name it in BASIN_CUDA_LIBRARY. Its kernels
// are the CPU's. What it says of driver and devices, and when it loses its device, is told by
// BASIN_FAKE_CUDA, numbers by name: "error=35 driver=12040 devices=2 lost=500 room=1000000 other=1".
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tensor/cuda/library/cuda_build.h"
#include "tensor/cuda/library/cuda_failure.h"
#include "tensor/cuda/library/cuda_library.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kName = "Abacus 9000";
constexpr std::size_t kRoom = std::size_t{16} << 30;

/// The number that BASIN_FAKE_CUDA gives under a name.
long told(const char* name, long otherwise) {
  const char* text = std::getenv("BASIN_FAKE_CUDA");
  const char* found = text == nullptr ? nullptr : std::strstr(text, name);
  return found == nullptr ? otherwise : std::strtol(found + std::strlen(name) + 1, nullptr, 10);
}

/// The host's kernels, until the device is lost.
class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(Backend& host)
      : host_(host),
        room_(static_cast<std::size_t>(told("room", static_cast<long>(kRoom)))),
        left_(told("lost", -1)) {}

  void* allocate(std::size_t bytes) override {
    if (bytes > room_) {
      throw Error(cuda_message({.code = 2,
                                .call = "cudaMalloc",
                                .device = kName,
                                .major = 9,
                                .minor = 0,
                                .asked = bytes,
                                .free = room_,
                                .total = kRoom}));
    }
    return host_.allocate(bytes);
  }
  void release(void* address, std::size_t bytes) noexcept override { host_.release(address, bytes); }
  void upload(void* device, const void* host, std::size_t bytes) override {
    next("upload");
    host_.upload(device, host, bytes);
  }
  void download(void* host, const void* device, std::size_t bytes) override {
    next("download");
    host_.download(host, device, bytes);
  }
  void copy(void* to, const void* from, std::size_t bytes) override {
    next("copy");
    host_.copy(to, from, bytes);
  }
  void fill(Dtype dtype, void* y, double value, Index n) override {
    next("fill");
    host_.fill(dtype, y, value, n);
  }
  void cast(Dtype from, const void* x, Dtype to, void* y, Index n) override {
    next("cast");
    host_.cast(from, x, to, y, n);
  }
  void axpby(Dtype dtype, double alpha, const void* x, double beta, void* y, Index n) override {
    next("axpby");
    host_.axpby(dtype, alpha, x, beta, y, n);
  }
  void unary(Unary op, Dtype dtype, const void* x, void* y, Index n) override {
    next("unary");
    host_.unary(op, dtype, x, y, n);
  }
  void binary(Binary op, Dtype dtype, const void* a, const Shape& strides_a, const void* b,
              const Shape& strides_b, void* y, const Shape& shape) override {
    next("binary");
    host_.binary(op, dtype, a, strides_a, b, strides_b, y, shape);
  }
  void strided_copy(Dtype dtype, const void* x, const Shape& strides, void* y, const Shape& shape) override {
    next("strided_copy");
    host_.strided_copy(dtype, x, strides, y, shape);
  }
  void reduce(Reduction op, Dtype dtype, const void* x, void* y, Index outer, Index middle,
              Index inner) override {
    next("reduce");
    host_.reduce(op, dtype, x, y, outer, middle, inner);
  }
  void largest(Dtype dtype, const void* x, void* y, Index rows, Index columns, Index count) override {
    next("largest");
    host_.largest(dtype, x, y, rows, columns, count);
  }
  void check(Check what, Dtype dtype, const void* x, Index n, void* flag) override {
    next("check");
    host_.check(what, dtype, x, n, flag);
  }
  void gather(const IndexCall& call) override {
    next("gather");
    host_.gather(call);
  }
  void scatter(const IndexCall& call) override {
    next("scatter");
    host_.scatter(call);
  }
  void gemm(const GemmCall& call) override {
    next("gemm");
    host_.gemm(call);
  }
  void convolve(const ConvCall& call) override {
    next("convolve");
    host_.convolve(call);
  }
  void windows(const WindowCall& call) override {
    next("windows");
    host_.windows(call);
  }
  void biased(const BiasedCall& call) override {
    next("biased");
    host_.biased(call);
  }
  void biased_gradient(const BiasedGradientCall& call) override {
    next("biased_gradient");
    host_.biased_gradient(call);
  }
  void uniform(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) override {
    next("uniform");
    host_.uniform(dtype, key, first, y, n);
  }
  void normal(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) override {
    next("normal");
    host_.normal(dtype, key, first, y, n);
  }
  void bernoulli(Dtype dtype, std::uint64_t key, std::uint64_t first, const void* p, void* y,
                 Index n) override {
    next("bernoulli");
    host_.bernoulli(dtype, key, first, p, y, n);
  }
  void units(const UnitCall& call) override {
    next("units");
    host_.units(call);
  }
  void momentum(const MomentumCall& call) override {
    next("momentum");
    host_.momentum(call);
  }
  void adaptive(const AdaptiveCall& call) override {
    next("adaptive");
    host_.adaptive(call);
  }
  void restrain(const RestrainCall& call) override {
    next("restrain");
    host_.restrain(call);
  }
  void dot(Dtype dtype, const void* a, const void* b, Index n, double* sum) override {
    next("dot");
    host_.dot(dtype, a, b, n, sum);
  }
  void limit_norms(Dtype dtype, void* x, Index outer, Index middle, Index inner, double limit) override {
    next("limit_norms");
    host_.limit_norms(dtype, x, outer, middle, inner, limit);
  }
  void column_sums(Dtype dtype, const void* x, Index rows, Index columns, double alpha, double beta,
                   void* sums) override {
    next("column_sums");
    host_.column_sums(dtype, x, rows, columns, alpha, beta, sums);
  }
  void softplus_difference(Dtype dtype, const void* x, const void* bias, Index rows, Index columns,
                           double from, double to, double* y) override {
    next("softplus_difference");
    host_.softplus_difference(dtype, x, bias, rows, columns, from, to, y);
  }

 private:
  void next(const char* call) {
    if (left_ == 0) {
      throw Error(cuda_message({.code = 999,
                                .call = call,
                                .reason = "unspecified launch failure",
                                .device = kName,
                                .major = 9,
                                .minor = 0}));
    }
    if (left_ > 0) --left_;
  }

  Backend& host_;
  std::size_t room_;
  long left_;  // calls until the device is lost; below 0: never
};

CudaState state() {
  return {.error = static_cast<int>(told("error", 0)),
          .driver = static_cast<int>(told("driver", 13000)),
          .runtime = 13000,
          .devices = static_cast<int>(told("devices", 2))};
}

CudaDevice device(int) {
  return {.error = static_cast<int>(told("broken", 0)),
          .name = kName,
          .major = 9,
          .minor = 0,
          .bytes = kRoom,
          .free = kRoom};
}

std::vector<std::pair<std::string, std::string>> libraries() { return {{"cuBLAS", "0.0.0"}}; }

Backend* open_kernels(const CudaOptions&, Backend& host) { return new FakeBackend(host); }

Solvers* own_solvers() { return nullptr; }

CudaMemory memory() { return {.used = 1, .peak = 2 << 20, .reserved = 4 << 20}; }

}  // namespace
}  // namespace basin

extern "C" __attribute__((visibility("default"))) const basin::CudaLibrary* basin_cuda_library() {
  static const basin::CudaLibrary library = {
      .build = basin::told("other", 0) != 0 ? "basin 0.0.9, headers 0123456789ab" : basin::kCudaBuild,
      .state = basin::state,
      .device = basin::device,
      .libraries = basin::libraries,
      .open = basin::open_kernels,
      .solvers = basin::own_solvers,
      .memory = basin::memory};
  return &library;
}
