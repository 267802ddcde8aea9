#pragma once

#include <cstdint>

#include "tensor/cuda/kernels/math.h"
#include "tensor/host_device.h"
#include "tensor/philox.h"
#include "tensor/shape.h"

namespace basin::cuda {

/// Uniform of a word: f32 has its top 24 bits, f64 all 32.
BASIN_HOST_DEVICE inline void uniform_of(std::uint32_t word, float& u) {
  u = static_cast<float>(word >> 8) * 0x1p-24f;
}
BASIN_HOST_DEVICE inline void uniform_of(std::uint32_t word, double& u) { u = word * 0x1p-32; }

/// The two normals of a pair of words (random.h has the formula).
BASIN_HOST_DEVICE inline void normals_of(std::uint32_t radius_word, std::uint32_t angle_word, float& even,
                                         float& odd) {
  const float high = static_cast<float>(radius_word >> 16), low = static_cast<float>(radius_word & 0xFFFFu);
  const float u = math::fma(high, 0x1p-16f, (low + 1.0f) * 0x1p-32f);
  const float radius = math::square_root(-2.0f * math::log_of_normal(u, 0.0f));
  float cosine, sine;
  math::cos_sin_turns(static_cast<float>(angle_word >> 8) * 0x1p-24f, cosine, sine);
  even = radius * cosine;
  odd = radius * sine;
}
BASIN_HOST_DEVICE inline void normals_of(std::uint32_t radius_word, std::uint32_t angle_word, double& even,
                                         double& odd) {
  const double radius = ::sqrt(-2.0 * ::log((radius_word + 1.0) * 0x1p-32));
  const double angle = 2.0 * 3.14159265358979323846 * (angle_word * 0x1p-32);
  even = radius * ::cos(angle);
  odd = radius * ::sin(angle);
}

/// Which draws of a stream are wanted: first .. first + n - 1. Threads take whole blocks of Philox, four
/// draws each.
struct Stream {
  std::uint64_t key = 0, first = 0;
  Index n = 0;

  Index blocks() const { return n <= 0 ? 0 : (static_cast<Index>(first % 4) + n + 3) / 4; }
  BASIN_HOST_DEVICE PhiloxBlock words(Index block) const {
    return philox_block(key, first / 4 + static_cast<std::uint64_t>(block));
  }
  /// The number, from 0, of the draw that has word `word` of a block; it may lie outside of the n.
  BASIN_HOST_DEVICE Index place(Index block, int word) const {
    return 4 * block + word - static_cast<Index>(first % 4);
  }
};

template <class T>
struct Uniform {
  Stream stream;
  T* y;
  BASIN_HOST_DEVICE void operator()(Index block) const {
    const PhiloxBlock words = stream.words(block);
    for (int k = 0; k < 4; ++k) {
      const Index i = stream.place(block, k);
      if (i >= 0 && i < stream.n) uniform_of(words[static_cast<std::size_t>(k)], y[i]);
    }
  }
};

template <class T>
struct Normal {
  Stream stream;
  T* y;
  BASIN_HOST_DEVICE void operator()(Index block) const {
    const PhiloxBlock words = stream.words(block);
    for (int k = 0; k < 4; k += 2) {
      const Index i = stream.place(block, k);
      T even, odd;
      normals_of(words[static_cast<std::size_t>(k)], words[static_cast<std::size_t>(k) + 1], even, odd);
      if (i >= 0 && i < stream.n) y[i] = even;
      if (i + 1 >= 0 && i + 1 < stream.n) y[i + 1] = odd;
    }
  }
};

template <class T>
struct Bernoulli {
  Stream stream;
  const T* p;
  T* y;
  BASIN_HOST_DEVICE void operator()(Index block) const {
    const PhiloxBlock words = stream.words(block);
    for (int k = 0; k < 4; ++k) {
      const Index i = stream.place(block, k);
      if (i < 0 || i >= stream.n) continue;
      T u;
      uniform_of(words[static_cast<std::size_t>(k)], u);
      y[i] = u < p[i] ? T{1} : T{0};
    }
  }
};

}  // namespace basin::cuda
