#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/machine.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/products/block_cache.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// A cache line, and the width of the widest vector.
constexpr std::size_t kAlignment = 64;

/// Bytes a block of this many takes: whole lines, and at least one, so that an empty tensor too has an
/// address of its own.
std::size_t block_bytes(std::size_t bytes) {
  return std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
}

/// Never destroyed: tensors with static lifetime may be released after it would be. Nothing is kept under the
/// address sanitizer, which could not see a use after release.
BlockCache& cache() {
#if defined(__SANITIZE_ADDRESS__)
  constexpr std::size_t kKept = 0;
#else
  constexpr std::size_t kKept = std::size_t{256} << 20;  // a step of a convolutional net
#endif
  static BlockCache& cache = *new BlockCache(kKept);
  return cache;
}

/// Elements of a cache line of floats: ranges end there so that no two threads write to one line.
constexpr Index kLine = 16;

template <class T>
void fill_as(T* y, double value, Index n) {
  const T number = static_cast<T>(value);
  parallel_ranges(n, 1, kLine, [=](Index begin, Index end) { std::fill(y + begin, y + end, number); });
}

template <class From, class To>
void cast_as(const void* x, void* y, Index n) {
  const auto* from = static_cast<const From*>(x);
  auto* to = static_cast<To*>(y);
  parallel_ranges(n, 1, kLine, [=](Index begin, Index end) {
#pragma omp simd
    for (Index i = begin; i < end; ++i) to[i] = static_cast<To>(from[i]);
  });
}

template <class T>
void axpby_as(double alpha, const void* x, double beta, void* y, Index n) {
  const auto* from = static_cast<const T*>(x);
  auto* to = static_cast<T*>(y);
  const T a = static_cast<T>(alpha), b = static_cast<T>(beta);
  parallel_ranges(n, 1, kLine, [=](Index begin, Index end) {
    if (b == T{0}) {
#pragma omp simd
      for (Index i = begin; i < end; ++i) to[i] = a * from[i];
    } else {
#pragma omp simd
      for (Index i = begin; i < end; ++i) to[i] = a * from[i] + b * to[i];
    }
  });
}

}  // namespace

std::size_t machine_bytes() {
  static const std::size_t bytes =
      static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

void* CpuBackend::allocate(std::size_t bytes) {
  void* address = nullptr;
  if (bytes <= machine_bytes()) {
    address = cache().take(block_bytes(bytes));
    if (address == nullptr) address = std::aligned_alloc(kAlignment, block_bytes(bytes));
  }
  if (address == nullptr) {
    throw Error(
        fmt::format("[memory] expected room for {} bytes, received none (the machine has {}); use smaller "
                    "batches or models",
                    bytes, machine_bytes()));
  }
  return address;
}

void CpuBackend::release(void* address, std::size_t bytes) noexcept {
  if (!cache().keep(address, block_bytes(bytes))) std::free(address);
}

void CpuBackend::upload(void* device, const void* host, std::size_t bytes) { copy(device, host, bytes); }

void CpuBackend::download(void* host, const void* device, std::size_t bytes) { copy(host, device, bytes); }

void CpuBackend::copy(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) std::memmove(to, from, bytes);
}

void CpuBackend::fill(Dtype dtype, void* y, double value, Index n) {
  if (dtype == Dtype::F32) {
    fill_as(static_cast<float*>(y), value, n);
  } else {
    fill_as(static_cast<double*>(y), value, n);
  }
}

void CpuBackend::cast(Dtype from, const void* x, Dtype to, void* y, Index n) {
  if (from == to) {
    copy(y, x, static_cast<std::size_t>(n) * byte_size(to));
  } else if (from == Dtype::F32) {
    cast_as<float, double>(x, y, n);
  } else {
    cast_as<double, float>(x, y, n);
  }
}

void CpuBackend::axpby(Dtype dtype, double alpha, const void* x, double beta, void* y, Index n) {
  if (dtype == Dtype::F32) {
    axpby_as<float>(alpha, x, beta, y, n);
  } else {
    axpby_as<double>(alpha, x, beta, y, n);
  }
}

}  // namespace basin
