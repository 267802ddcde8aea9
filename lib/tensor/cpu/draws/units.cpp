#include <algorithm>
#include <cmath>
#include <cstddef>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/draws/random_stream.h"
#include "tensor/cpu/draws/units_run.h"
#include "tensor/cpu/parallel.h"
#include "tensor/normal_tail.h"
#include "tensor/philox.h"

namespace basin {
namespace {

/// A unit costs about as much as this many elements of a memory-bound pass.
constexpr Index kUnitCost = 8;

/// The arrays of a UnitCall with their type.
template <class T>
struct Layer {
  explicit Layer(const UnitCall& call)
      : input(static_cast<const T*>(call.input)),
        bias(static_cast<const T*>(call.bias)),
        base(static_cast<const T*>(call.base)),
        precision(static_cast<const T*>(call.precision)),
        row_scales(static_cast<const T*>(call.row_scales)),
        scale(static_cast<T>(call.scale)),
        units(call.units),
        mean(static_cast<T*>(call.mean)),
        sample(static_cast<T*>(call.sample)) {}

  /// The inverse temperature of the row of place `at`.
  T scale_of(Index at) const { return row_scales != nullptr ? scale * row_scales[at / units] : scale; }
  /// Total input of unit j at place `at` of the layer, in a row of that scale.
  T total(Index at, Index j, T scaled) const {
    return scaled * (input[at] + bias[j]) + (base != nullptr ? base[j] : T{0});
  }

  const T* input;
  const T* bias;
  const T* base;
  const T* precision;
  const T* row_scales;
  T scale;
  Index units;
  T* mean;
  T* sample;
};

/// Runs body(at, j, n) over runs of at most kStreamChunk neighbours of a row: unit j, element `at`. A single
/// long row is split among threads as many rows are.
template <class Body>
void for_runs(const UnitCall& call, const Body& body) {
  constexpr Index kChunk = static_cast<Index>(kStreamChunk);
  const Index pieces = (call.units + kChunk - 1) / kChunk;
  parallel_ranges(call.rows * pieces, kUnitCost * std::min(call.units, kChunk), 1,
                  [&](Index begin, Index end) {
                    for (Index piece = begin; piece < end; ++piece) {
                      const Index j = piece % pieces * kChunk;
                      body(piece / pieces * call.units + j, j, std::min(kChunk, call.units - j));
                    }
                  });
}

std::uint64_t draw_of(const UnitCall& call, Index at) {
  return call.first_draw + static_cast<std::uint64_t>(at);
}

/// The vectorised kinds, by binary_units or gaussian_units.
void vector_units(const UnitCall& call, void (*run_of)(const UnitRun&)) {
  const Layer<float> layer(call);
  for_runs(call, [&](Index at, Index j, Index n) {
    run_of({.input = layer.input + at,
            .bias = layer.bias + j,
            .base = layer.base != nullptr ? layer.base + j : nullptr,
            .precision = layer.precision != nullptr ? layer.precision + j : nullptr,
            .scale = layer.scale_of(at),
            .key = call.key,
            .draw = draw_of(call, at),
            .n = static_cast<std::size_t>(n),
            .mean = layer.mean != nullptr ? layer.mean + at : nullptr,
            .sample = layer.sample != nullptr ? layer.sample + at : nullptr});
  });
}

void binary_f64(const UnitCall& call) {
  const Layer<double> layer(call);
  for_runs(call, [&](Index at, Index j, Index n) {
    const double scale = layer.scale_of(at);
    double u[kStreamChunk];
    if (layer.sample != nullptr) stream_uniforms(call.key, draw_of(call, at), static_cast<std::size_t>(n), u);
    for (Index i = 0; i < n; ++i) {
      const double a = layer.total(at + i, j + i, scale);
      const double e = std::exp(-std::abs(a));
      const double mean = (a < 0.0 ? e : 1.0) / (1.0 + e);
      if (layer.mean != nullptr) layer.mean[at + i] = mean;
      if (layer.sample != nullptr) layer.sample[at + i] = u[i] < mean ? 1.0 : 0.0;
    }
  });
}

void gaussian_f64(const UnitCall& call) {
  const Layer<double> layer(call);
  for_runs(call, [&](Index at, Index j, Index n) {
    const double scale = layer.scale_of(at);
    double z[kStreamChunk];
    if (layer.sample != nullptr) stream_normals(call.key, draw_of(call, at), static_cast<std::size_t>(n), z);
    for (Index i = 0; i < n; ++i) {
      const double precision = layer.precision[j + i];
      const double mean = layer.total(at + i, j + i, scale) / precision;
      if (layer.mean != nullptr) layer.mean[at + i] = mean;
      if (layer.sample != nullptr) layer.sample[at + i] = mean + z[i] / std::sqrt(precision);
    }
  });
}

/// z >= 0 with z ~ N(mu, sigma^2): sigma times a standard normal's excess over -mu / sigma. Reckoned in f64
/// for both dtypes.
template <class T>
void non_negative(const UnitCall& call) {
  const Layer<T> layer(call);
  for_runs(call, [&](Index at, Index j, Index n) {
    const T scale = layer.scale_of(at);
    std::uint32_t words[kStreamChunk];
    if (layer.sample != nullptr)
      stream_words(call.key, draw_of(call, at), static_cast<std::size_t>(n), words);
    for (Index i = 0; i < n; ++i) {
      const double precision = layer.precision[j + i];
      const double sigma = 1.0 / std::sqrt(precision);
      const NormalTail tail(-static_cast<double>(layer.total(at + i, j + i, scale)) * sigma);
      if (layer.mean != nullptr) layer.mean[at + i] = static_cast<T>(sigma * tail.mean_excess());
      if (layer.sample != nullptr)
        layer.sample[at + i] = static_cast<T>(sigma * tail.draw_excess((words[i] + 0.5) * 0x1p-32));
    }
  });
}

/// Softmax of one group of `n` neighbours; the draw is the first k at which the running sum of weights
/// exceeds u times their total. The weights are computed twice rather than kept, so that nothing is allocated
/// and mean may overwrite input.
template <class T>
void categorical_group(const Layer<T>& layer, Index at, Index j, Index n, T u) {
  const T scale = layer.scale_of(at);
  T highest = layer.total(at, j, scale);
  for (Index k = 1; k < n; ++k) highest = std::max(highest, layer.total(at + k, j + k, scale));
  T total = 0;
  for (Index k = 0; k < n; ++k) total += std::exp(layer.total(at + k, j + k, scale) - highest);
  T running = 0;
  bool drawn = false;
  for (Index k = 0; k < n; ++k) {
    const T weight = std::exp(layer.total(at + k, j + k, scale) - highest);
    running += weight;
    const bool here = !drawn && u * total < running;
    drawn = drawn || here;
    if (layer.mean != nullptr) layer.mean[at + k] = weight / total;
    if (layer.sample != nullptr) layer.sample[at + k] = here ? T{1} : T{0};
  }
}

template <class T>
void categorical(const UnitCall& call) {
  const Layer<T> layer(call);
  const Index group = call.group, groups = call.units / group;
  const T step = sizeof(T) == 4 ? T{0x1p-24} : T{0x1p-32};
  parallel_ranges(call.rows * groups, kUnitCost * group, 1, [&](Index begin, Index end) {
    for (Index g = begin; g < end; ++g) {
      const Index at = g * group;
      const std::uint32_t word = layer.sample != nullptr ? philox_word(call.key, draw_of(call, at)) : 0;
      categorical_group(layer, at, at % call.units, group,
                        static_cast<T>(sizeof(T) == 4 ? word >> 8 : word) * step);
    }
  });
}

}  // namespace

void CpuBackend::units(const UnitCall& call) {
  if (call.rows <= 0 || call.units <= 0) return;
  const bool single = call.dtype == Dtype::F32;
  switch (call.unit) {
    case Unit::Binary:
      single ? vector_units(call, binary_units) : binary_f64(call);
      break;
    case Unit::Gaussian:
      single ? vector_units(call, gaussian_units) : gaussian_f64(call);
      break;
    case Unit::NonNegative:
      single ? non_negative<float>(call) : non_negative<double>(call);
      break;
    case Unit::Categorical:
      single ? categorical<float>(call) : categorical<double>(call);
      break;
  }
}

}  // namespace basin
