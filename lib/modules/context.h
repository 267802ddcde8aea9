#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "modules/parameter.h"
#include "tensor/key.h"
#include "tensor/tensor.h"

namespace basin {

/// What a buffer becomes after a step.
struct Observation {
  Parameter buffer;
  Tensor next;
};

/// Where training gathers what the batch makes of buffers, and which it asks for.
struct Observations {
  std::function<bool(const Parameter& buffer)> wanted = {};  // none: all
  std::vector<Observation> seen;
};

/// The state that a recurrent module has at one end of a batch's sequences, [N, S]; a parameter of it says
/// which module.
struct StreamState {
  Parameter owner;
  Tensor state;
};

/// Sequences that go on where the batch before ended: where modules start, and where they have come to.
struct Streams {
  std::vector<StreamState> starts = {};  // modules without one start at 0
  std::vector<StreamState> ends = {};
};

/// What a module may know of a batch beside its values.
///
/// Whoever draws for row n of a batch takes the draws of sample first_row + n / replicas, so that a slice of
/// a batch draws what the whole would, and all replicas of a sample (enumerated states, chains that start at
/// it) draw what the sample does.
struct Context {
  std::optional<Key> key = {};  // of noise; none: nothing is random
  Index first_row = 0;          // number of the batch's first sample in the whole batch
  Index replicas = 1;           // neighbouring rows that are one sample's
  Tensor lengths = {};          // [N] of sequences, host f64; undefined: all as long as their axis
  Tensor ids = {};    // [N] of samples in their source, 0 .. samples - 1, host f64; undefined: not known
  Index samples = 0;  // in that source; 0: not known
  std::shared_ptr<Observations> observations = {};  // where training asks for them
  std::shared_ptr<Streams> streams = {};  // where sequences are parts of longer ones; null: all start at 0

  /// The number of the first row among all rows of the whole batch, by which rows draw what is their own
  /// (moves of chains): row n takes draws (own_row() + n) * size + j of a stream.
  Index own_row() const { return first_row * replicas; }

  /// Whether this pass is the one of training that moves the buffer (Parameter::buffer): only then may a
  /// module use statistics of the batch, and only then do samples mix.
  bool observes(const Parameter& buffer) const {
    return observations && (!observations->wanted || observations->wanted(buffer));
  }
  /// Says what the batch makes of a buffer, a mean over its rows; nothing where nobody asks.
  void observe(const Parameter& buffer, Tensor next) const {
    if (observes(buffer)) observations->seen.push_back({buffer, std::move(next)});
  }

  /// The same with the key folded, where there is one.
  Context fold(std::string_view name) const { return with(key ? std::optional(key->fold(name)) : key); }
  Context fold(std::uint64_t index) const { return with(key ? std::optional(key->fold(index)) : key); }

  Context with(std::optional<Key> other) const {
    Context copy = *this;
    copy.key = other;
    return copy;
  }
};

}  // namespace basin
