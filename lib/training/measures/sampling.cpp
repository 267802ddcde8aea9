#include "training/measures/sampling.h"

#include <algorithm>

#include "autograd/ops.h"
#include "config/reader.h"
#include "tensor/random.h"

namespace basin {
namespace {

Block with(const Variable& first, const Block& others) {
  Block block{first};
  block.insert(block.end(), others.begin(), others.end());
  return block;
}

}  // namespace

Block Sampling::visible_block() const { return with(visible, with_visible); }
Block Sampling::hidden_block() const { return with(hidden, with_hidden); }

Value noise_of(const Variable& variable, Index chains, Key key, Placement placement) {
  const Shape shape = batched(variable, chains);
  if (variable.domain == Domain::Binary) return bernoulli(key, Tensor::full(shape, 0.5, placement));
  const Value normals = normal(key, shape, placement);
  if (variable.domain == Domain::Categorical) return largest(normals, 1);
  return variable.domain == Domain::NonNegative ? abs(normals) : normals;
}

Sampling read_sampling(const Config& results, bool smoke) {
  const Reader in(results);
  Sampling sampling;
  // No part of an experiment that does not say it.
  if (results.has("sample_chains")) sampling.chains = in.count("sample_chains", 1);
  if (results.has("sample_steps")) sampling.steps = in.count("sample_steps", 0);
  if (smoke) sampling.steps = std::min<Index>(sampling.steps, 20);
  return sampling;
}

Sampling read_stated_sampling(const Config& results, bool smoke) {
  const Reader in(results);
  Sampling sampling;
  sampling.chains = in.count("sample_chains", 1, 100);
  sampling.steps = in.count("sample_steps", 0, 1000);
  if (smoke) {
    sampling.chains = std::min<Index>(sampling.chains, 20);
    sampling.steps = std::min<Index>(sampling.steps, 20);
  }
  return sampling;
}

}  // namespace basin
