#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/draws/random.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/cpu/draws/random-inl.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

void words(std::uint64_t key, std::uint64_t block, std::size_t count, std::uint32_t* buffer) {
  for_words(key, block, count, [buffer](std::size_t i, Word w) { hn::Store(w, Words(), buffer + i); });
}

const float* uniforms(std::uint64_t key, std::uint64_t first, std::size_t n, float* buffer) {
  return uniforms_of(key, first, n, buffer);
}

/// Normals of whole pairs of words: u1 = (w0 + 1) / 2^32 in (0, 1], turn = the top 24 bits of w1.
void normals(const std::uint32_t* words, std::size_t count, float* z) {
  const std::size_t pairs = hn::Lanes(Words());
  for (std::size_t i = 0; i < count; i += 2 * pairs) {
    Word radius_word, angle_word;
    hn::LoadInterleaved2(Words(), words + i, radius_word, angle_word);
    const Float high = hn::ConvertTo(Floats(), hn::BitCast(Ints(), hn::ShiftRight<16>(radius_word)));
    const Float low =
        hn::ConvertTo(Floats(), hn::BitCast(Ints(), hn::And(radius_word, hn::Set(Words(), 0xFFFF))));
    const Float u =
        hn::MulAdd(high, constant(0x1p-16f), hn::Mul(hn::Add(low, constant(1.0f)), constant(0x1p-32f)));
    const Float radius = hn::Sqrt(hn::Mul(constant(-2.0f), log_of_normal(u, hn::Zero(Floats()))));
    const Float turn = hn::Mul(hn::ConvertTo(Floats(), hn::BitCast(Ints(), hn::ShiftRight<8>(angle_word))),
                               constant(0x1p-24f));
    Float cosine, sine;
    cos_sin_turns(turn, cosine, sine);
    hn::StoreInterleaved2(hn::Mul(radius, cosine), hn::Mul(radius, sine), Floats(), z + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace basin {

HWY_EXPORT(words);
HWY_EXPORT(uniforms);
HWY_EXPORT(normals);

namespace {

/// A random number costs about as much as this many elements of a memory-bound pass.
constexpr Index kDrawCost = 4;

/// Runs body(first, n) over chunks of the draws 0 .. n - 1; chunks start at multiples of kStreamChunk.
template <class Body>
void for_chunks(Index n, const Body& body) {
  constexpr Index kChunk = static_cast<Index>(kStreamChunk);
  parallel_ranges(n, kDrawCost, kChunk, [&](Index begin, Index end) {
    for (Index at = begin; at < end; at += kChunk)
      body(at, static_cast<std::size_t>(std::min(kChunk, end - at)));
  });
}

template <class T>
void bernoulli_as(std::uint64_t key, std::uint64_t first, const void* p, void* y, Index n) {
  const auto* probability = static_cast<const T*>(p);
  auto* drawn = static_cast<T*>(y);
  for_chunks(n, [=](Index at, std::size_t count) {
    T u[kStreamChunk];
    stream_uniforms(key, first + static_cast<std::uint64_t>(at), count, u);
    for (std::size_t i = 0; i < count; ++i)
      drawn[at + static_cast<Index>(i)] = u[i] < probability[at + static_cast<Index>(i)] ? T{1} : T{0};
  });
}

}  // namespace

void stream_words(std::uint64_t key, std::uint64_t first, std::size_t n, std::uint32_t* drawn) {
  alignas(64) std::uint32_t buffer[kStreamRoom];
  HWY_DYNAMIC_DISPATCH(words)(key, first / 4, first % 4 + n, buffer);
  std::memcpy(drawn, buffer + first % 4, n * sizeof(std::uint32_t));
}

void stream_uniforms(std::uint64_t key, std::uint64_t first, std::size_t n, float* u) {
  alignas(64) float buffer[kStreamRoom];
  std::memcpy(u, HWY_DYNAMIC_DISPATCH(uniforms)(key, first, n, buffer), n * sizeof(float));
}

void stream_uniforms(std::uint64_t key, std::uint64_t first, std::size_t n, double* u) {
  alignas(64) std::uint32_t buffer[kStreamRoom];
  HWY_DYNAMIC_DISPATCH(words)(key, first / 4, first % 4 + n, buffer);
  for (std::size_t i = 0; i < n; ++i) u[i] = buffer[first % 4 + i] * 0x1p-32;
}

void stream_normals(std::uint64_t key, std::uint64_t first, std::size_t n, float* z) {
  alignas(64) std::uint32_t buffer[kStreamRoom];
  alignas(64) float pairs[kStreamRoom];
  const std::size_t count = first % 4 + n;
  HWY_DYNAMIC_DISPATCH(words)(key, first / 4, count, buffer);
  HWY_DYNAMIC_DISPATCH(normals)(buffer, count, pairs);
  std::memcpy(z, pairs + first % 4, n * sizeof(float));
}

void stream_normals(std::uint64_t key, std::uint64_t first, std::size_t n, double* z) {
  alignas(64) std::uint32_t buffer[kStreamRoom];
  const std::size_t skipped = first % 4, count = skipped + n;
  HWY_DYNAMIC_DISPATCH(words)(key, first / 4, count, buffer);
  for (std::size_t i = skipped / 2 * 2; i < count; i += 2) {
    const double radius = std::sqrt(-2.0 * std::log((buffer[i] + 1.0) * 0x1p-32));
    const double angle = 2.0 * std::numbers::pi * (buffer[i + 1] * 0x1p-32);
    if (i >= skipped) z[i - skipped] = radius * std::cos(angle);
    if (i + 1 < count) z[i + 1 - skipped] = radius * std::sin(angle);
  }
}

void CpuBackend::uniform(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) {
  for_chunks(n, [=](Index at, std::size_t count) {
    if (dtype == Dtype::F32)
      stream_uniforms(key, first + static_cast<std::uint64_t>(at), count, static_cast<float*>(y) + at);
    if (dtype == Dtype::F64)
      stream_uniforms(key, first + static_cast<std::uint64_t>(at), count, static_cast<double*>(y) + at);
  });
}

void CpuBackend::normal(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) {
  for_chunks(n, [=](Index at, std::size_t count) {
    if (dtype == Dtype::F32)
      stream_normals(key, first + static_cast<std::uint64_t>(at), count, static_cast<float*>(y) + at);
    if (dtype == Dtype::F64)
      stream_normals(key, first + static_cast<std::uint64_t>(at), count, static_cast<double*>(y) + at);
  });
}

void CpuBackend::bernoulli(Dtype dtype, std::uint64_t key, std::uint64_t first, const void* p, void* y,
                           Index n) {
  if (dtype == Dtype::F32) bernoulli_as<float>(key, first, p, y, n);
  if (dtype == Dtype::F64) bernoulli_as<double>(key, first, p, y, n);
}

}  // namespace basin
#endif
