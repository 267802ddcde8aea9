#pragma once

#include <functional>
#include <span>

#include "data/dataset.h"
#include "energy/state.h"
#include "tensor/key.h"

namespace basin {

/// Where the batches of a fit come from: `count` samples, and a function that gives the state of the samples
/// named by `rows` (their positions, 0 .. count-1), drawing under `key` whatever it draws.
struct Source {
  Index count = 0;
  std::function<State(std::span<const Index> rows, Key key)> batch;
};

/// Samples as values [N, variable.shape...] of one variable, made from bytes batch by batch. Every batch of
/// one size reuses one buffer: a batch is valid until the next. The key given to batch() takes the place of
/// options.key, so that stochastic pixels are drawn anew under every key. The samples are not copied and must
/// outlive the source. Throws Error when a sample has another size than the variable.
Source source(const Variable& variable, const Samples& samples, const BatchOptions& options,
              Placement placement);
Source source(const Variable& variable, Samples&& samples, const BatchOptions& options,
              Placement placement) = delete;

/// Rows of a tensor [count, variable.shape...], kept on the host and copied to the placement batch by batch.
Source source(const Variable& variable, const Tensor& values, Placement placement);

}  // namespace basin
