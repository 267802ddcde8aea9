#pragma once

#include <cstdint>

#include "tensor/backend.h"
#include "tensor/cuda/kernels/draws.h"
#include "tensor/cuda/kernels/math.h"
#include "tensor/host_device.h"
#include "tensor/normal_tail.h"

namespace basin::cuda {

/// The arrays of a UnitCall with their type, and its stream of draws over all units of all rows.
template <class T>
struct Layer {
  Stream stream;
  const T* input;
  const T* bias;
  const T* base;
  const T* precision;
  const T* row_scales;
  T scale;
  Index units, group;
  T* mean;
  T* sample;

  explicit Layer(const UnitCall& call)
      : stream{call.key, call.first_draw, call.rows * call.units},
        input(static_cast<const T*>(call.input)),
        bias(static_cast<const T*>(call.bias)),
        base(static_cast<const T*>(call.base)),
        precision(static_cast<const T*>(call.precision)),
        row_scales(static_cast<const T*>(call.row_scales)),
        scale(static_cast<T>(call.scale)),
        units(call.units),
        group(call.group),
        mean(static_cast<T*>(call.mean)),
        sample(static_cast<T*>(call.sample)) {}

  BASIN_HOST_DEVICE T scale_of(Index row) const {
    return row_scales != nullptr ? scale * row_scales[row] : scale;
  }
  /// Total input of unit j at place `at`, in a row of that scale.
  BASIN_HOST_DEVICE T total(Index at, Index j, T scaled) const {
    const T input_and_bias = input[at] + bias[j];
    return math::fma(scaled, input_and_bias, base != nullptr ? base[j] : T{0});
  }
};

/// Four draws of a stream of binary units.
template <class T>
struct BinaryUnits : Layer<T> {
  using Layer<T>::Layer;
  BASIN_HOST_DEVICE void operator()(Index block) const {
    PhiloxBlock words{};
    if (this->sample != nullptr) words = this->stream.words(block);
    for (int k = 0; k < 4; ++k) {
      const Index at = this->stream.place(block, k);
      if (at < 0 || at >= this->stream.n) continue;
      const Index row = at / this->units, j = at - row * this->units;
      const T mean = math::sigmoid(this->total(at, j, this->scale_of(row)));
      if (this->mean != nullptr) this->mean[at] = mean;
      if (this->sample == nullptr) continue;
      T u;
      uniform_of(words[static_cast<std::size_t>(k)], u);
      this->sample[at] = u < mean ? T{1} : T{0};
    }
  }
};

template <class T>
struct GaussianUnits : Layer<T> {
  using Layer<T>::Layer;
  BASIN_HOST_DEVICE void operator()(Index block) const {
    T z[4] = {};
    if (this->sample != nullptr) {
      const PhiloxBlock words = this->stream.words(block);
      normals_of(words[0], words[1], z[0], z[1]);
      normals_of(words[2], words[3], z[2], z[3]);
    }
    for (int k = 0; k < 4; ++k) {
      const Index at = this->stream.place(block, k);
      if (at < 0 || at >= this->stream.n) continue;
      const Index row = at / this->units, j = at - row * this->units;
      const T precision = this->precision[j];
      const T mean = this->total(at, j, this->scale_of(row)) / precision;
      if (this->mean != nullptr) this->mean[at] = mean;
      if (this->sample != nullptr) this->sample[at] = mean + z[k] / math::square_root(precision);
    }
  }
};

/// Reckoned in f64 for both dtypes.
template <class T>
struct NonNegativeUnits : Layer<T> {
  using Layer<T>::Layer;
  BASIN_HOST_DEVICE void operator()(Index block) const {
    PhiloxBlock words{};
    if (this->sample != nullptr) words = this->stream.words(block);
    for (int k = 0; k < 4; ++k) {
      const Index at = this->stream.place(block, k);
      if (at < 0 || at >= this->stream.n) continue;
      const Index row = at / this->units, j = at - row * this->units;
      const double sigma = 1.0 / ::sqrt(static_cast<double>(this->precision[j]));
      const NormalTail tail(-static_cast<double>(this->total(at, j, this->scale_of(row))) * sigma);
      if (this->mean != nullptr) this->mean[at] = static_cast<T>(sigma * tail.mean_excess());
      if (this->sample != nullptr) {
        const double v = (words[static_cast<std::size_t>(k)] + 0.5) * 0x1p-32;
        this->sample[at] = static_cast<T>(sigma * tail.draw_excess(v));
      }
    }
  }
};

/// One group of neighbours. Its weights are computed twice rather than kept, so that mean may overwrite
/// input.
template <class T>
struct CategoricalUnits : Layer<T> {
  using Layer<T>::Layer;
  BASIN_HOST_DEVICE void operator()(Index which) const {
    const Index first = which * this->group, row = first / this->units, j = first - row * this->units;
    const T scaled = this->scale_of(row);
    T highest = this->total(first, j, scaled);
    for (Index k = 1; k < this->group; ++k) {
      const T here = this->total(first + k, j + k, scaled);
      highest = highest < here ? here : highest;
    }
    T sum{0};
    for (Index k = 0; k < this->group; ++k) sum += math::exp(this->total(first + k, j + k, scaled) - highest);
    T u{0};
    if (this->sample != nullptr) {
      const std::uint64_t draw = this->stream.first + static_cast<std::uint64_t>(first);
      const PhiloxBlock words = philox_block(this->stream.key, draw / 4);
      const std::uint64_t word = draw % 4;
      uniform_of(word < 2 ? (word == 0 ? words[0] : words[1]) : (word == 2 ? words[2] : words[3]), u);
    }
    T running{0};
    bool drawn = false;
    for (Index k = 0; k < this->group; ++k) {
      const T weight = math::exp(this->total(first + k, j + k, scaled) - highest);
      running += weight;
      const bool here = !drawn && u * sum < running;
      drawn = drawn || here;
      if (this->mean != nullptr) this->mean[first + k] = weight / sum;
      if (this->sample != nullptr) this->sample[first + k] = here ? T{1} : T{0};
    }
  }
};

}  // namespace basin::cuda
