#pragma once

#include <cstdint>
#include <span>

#include "tensor/key.h"
#include "tensor/tensor.h"

namespace basin {

struct SparseSignalsOptions {
  Index measurements = 250, atoms = 500;
  double density = 0.1;  // probability that a coefficient is not 0
  double noise = 0.0;    // standard deviation of normal noise on y
};

/// Sparse codes and what a random dictionary makes of them: x_i = s_i g_i with s_i Bernoulli(density) and g_i
/// standard normal, y = A x (plus noise), A [measurements, atoms] ~ N(0, 1/measurements) with columns scaled
/// to norm 1. Endless: sample i is a function of (key, i) alone. Reference: Chen, Liu, Wang, Yin 2018,
/// "Theoretical linear convergence of unfolded ISTA and its practical weights and thresholds", sec. 5.1.
class SparseSignals {
 public:
  /// Draws the dictionary under `key`. Throws Error unless sizes are positive, 0 < density <= 1 and noise >=
  /// 0.
  SparseSignals(Key key, SparseSignalsOptions options = {});

  const SparseSignalsOptions& options() const { return options_; }
  Key key() const { return key_; }
  /// The columns of A as rows, [atoms, measurements], f32 on the host.
  const Tensor& dictionary() const { return dictionary_; }

  struct Batch {
    Tensor x, y;  // [N, atoms], [N, measurements]
  };
  /// The samples named by `rows` of the stream `key`.
  Batch batch(std::span<const Index> rows, Key key, Placement placement = {}) const;

 private:
  Key key_;
  SparseSignalsOptions options_;
  Tensor dictionary_;
};

/// Those of the data set "sparse_signals": `measurements` (0: 250) of twice as many codes. Its samples are
/// those of the streams key().fold("train") and key().fold("test").
SparseSignals sparse_signals(std::uint64_t seed, Index measurements);

}  // namespace basin
