#pragma once

#include <string>
#include <vector>

#include "energy/graph.h"
#include "tensor/key.h"

namespace basin {

/// A dictionary is a parameter whose rows, the slices along its first axis, are the atoms that the members
/// of a code z [K, ...] switch on: the weight [K, features] of a Linear decoder, the filters [K, C, h, w] of
/// a convolutional one.

/// Scales the rows to norm 1, in place; a row of zeros stays one.
void scale_to_unit_norm(const Tensor& dictionary);

/// For each atom, the number of batches since a code of the batch last used it: `idle` [K] (host, f64)
/// counts on, from 0 where some sample of z [N, K, ...] is not zero.
void count_idle(const Value& z, const Tensor& idle);

/// Puts data in the place of every atom that has been idle for `limit` batches or more: a sample of the
/// target that the dictionary's factor explains (for filters a patch of it, at a random place), drawn under
/// `key`, scaled to norm 1. Atoms that would be zeros (an empty patch) stay as they are. Returns which.
/// Throws Error when the parameter is of no SquaredError, or when its rows fit neither the target nor patches
/// of it.
std::vector<Index> replace_idle(const FactorGraph& graph, const Parameter& dictionary, const State& batch,
                                const Tensor& idle, Index limit, Key key);

}  // namespace basin
