#pragma once

#include <string>

#include "energy/state.h"

namespace basin {

struct TuneOptions {
  Index moves = 0;      // the first of each chain, in which its step is tuned; 0: the step stays
  double target = 0.8;  // the mean acceptance that is sought, in (0, 1)
};

/// A step size for each chain, tuned during its first moves by dual averaging: after move m with acceptance a
///   H <- (1 - 1 / (m + 10)) H + (target - a) / (m + 10),   log e <- log(10 e_0) - sqrt(m) / 0.05 H,
///   log e_mean <- m^-0.75 log e + (1 - m^-0.75) log e_mean,
/// and e_mean for ever after. It is kept in the memory of the state under `name`, so that chains that begin
/// later tune steps of their own, and a row of a slice tunes the step that it does in the whole batch.
/// Reference: Hoffman, Gelman 2014, "The No-U-Turn Sampler", section 3.2.1, with its constants.
class StepSize {
 public:
  /// Throws Error "[who] ..." unless 0 < first < inf, moves >= 0 and 0 < target < 1.
  StepSize(const char* who, std::string name, double first, TuneOptions options);

  /// Of the next move, [N].
  Value of(const State& state) const;
  /// Remembers in `state` how the move under step of(state) went: acceptance in [0, 1], [N].
  void update(State& state, const Value& acceptance) const;
  /// Moves until every chain's step stays.
  Index left(const State& state) const;

 private:
  Value recalled(const State& state, const char* what) const;

  std::string name_;
  double first_;
  TuneOptions options_;
};

}  // namespace basin
