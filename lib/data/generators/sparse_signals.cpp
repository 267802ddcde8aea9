#include "data/generators/sparse_signals.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "data/draws.h"
#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr double kWord = 0x1p-32;

/// A standard normal by Box and Muller from two words.
double bell(Draws& draws) {
  const double u = (static_cast<double>(draws.word()) + 1.0) * kWord,
               v = static_cast<double>(draws.word()) * kWord;
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

Tensor draw_dictionary(Key key, const SparseSignalsOptions& options) {
  const Index m = options.measurements, n = options.atoms;
  std::vector<double> values = normal(key.fold("dictionary"), {n, m}, {Dtype::F64, Device::Cpu}).values();
  for (Index atom = 0; atom < n; ++atom) {
    double* column = values.data() + atom * m;
    double squares = 0.0;
    for (Index i = 0; i < m; ++i) squares += column[i] * column[i];
    const double scale = 1.0 / std::sqrt(squares);
    for (Index i = 0; i < m; ++i) column[i] *= scale;
  }
  return Tensor::from(values, {n, m});
}

}  // namespace

SparseSignals::SparseSignals(Key key, SparseSignalsOptions options) : key_(key), options_(options) {
  if (options.measurements < 1 || options.atoms < 1 || !(options.density > 0.0 && options.density <= 1.0) ||
      !(options.noise >= 0.0)) {
    throw Error(
        fmt::format("[sparse_signals] expected positive sizes, 0 < density <= 1 and noise >= 0, received {} "
                    "x {}, {} and {}",
                    options.measurements, options.atoms, options.density, options.noise));
  }
  dictionary_ = draw_dictionary(key, options);
}

SparseSignals::Batch SparseSignals::batch(std::span<const Index> rows, Key key, Placement placement) const {
  const auto count = static_cast<Index>(rows.size());
  const Index m = options_.measurements, n = options_.atoms;
  const Tensor x = Tensor::zeros({count, n}), y({count, m});
  auto* codes = x.host<float>();
#pragma omp parallel for schedule(static) if (count >= 64)
  for (Index r = 0; r < count; ++r) {
    Draws draws(key.fold(static_cast<std::uint64_t>(rows[static_cast<std::size_t>(r)])));
    for (Index i = 0; i < n; ++i) {
      if (static_cast<double>(draws.word()) * kWord < options_.density)
        codes[r * n + i] = static_cast<float>(bell(draws));
    }
  }
  if (options_.noise > 0.0) {
    auto* measured = y.host<float>();
    for (Index r = 0; r < count; ++r) {
      Draws draws(key.fold(static_cast<std::uint64_t>(rows[static_cast<std::size_t>(r)])).fold("noise"));
      for (Index i = 0; i < m; ++i) measured[r * m + i] = static_cast<float>(options_.noise * bell(draws));
    }
  }
  backend(Device::Cpu)
      .gemm({.m = count,
             .n = m,
             .k = n,
             .a = x.data(),
             .lda = n,
             .b = dictionary_.data(),
             .ldb = m,
             .beta = options_.noise > 0.0 ? 1.0 : 0.0,
             .c = y.data(),
             .ldc = m});
  return {x.to(placement), y.to(placement)};
}

SparseSignals sparse_signals(std::uint64_t seed, Index measurements) {
  const Index m = measurements == 0 ? 250 : measurements;
  return SparseSignals(Key(seed).fold("sparse_signals"), {.measurements = m, .atoms = 2 * m});
}

}  // namespace basin
