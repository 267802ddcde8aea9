#pragma once

#include <cstddef>
#include <cstdint>

namespace basin {

/// Draws that a kernel makes at a time, so that its numbers stay in the first-level cache.
constexpr std::size_t kStreamChunk = 512;

/// Elements a buffer of draws needs: whole vectors are written, from the start of a Philox block on (64-byte
/// aligned).
constexpr std::size_t kStreamRoom = kStreamChunk + 64;

/// Serial pieces of the streams of tensor/key.h, for kernels that draw as they go: draws first .. first + n -
/// 1, n <= kStreamChunk.
void stream_words(std::uint64_t key, std::uint64_t first, std::size_t n, std::uint32_t* words);
void stream_uniforms(std::uint64_t key, std::uint64_t first, std::size_t n, float* u);
void stream_uniforms(std::uint64_t key, std::uint64_t first, std::size_t n, double* u);
void stream_normals(std::uint64_t key, std::uint64_t first, std::size_t n, float* z);
void stream_normals(std::uint64_t key, std::uint64_t first, std::size_t n, double* z);

}  // namespace basin
