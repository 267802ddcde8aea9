#pragma once

#include <map>
#include <string>
#include <vector>

#include "autograd/value.h"
#include "energy/variable.h"
#include "modules/context.h"

namespace basin {

/// Values of some variables of a graph, batch first; a value type (copies share tensors).
class State {
 public:
  /// Throws Error when the value is not [N, variable.shape...] or N differs from the other variables'.
  State& set(const Variable& variable, Value value);
  /// A copy with one variable replaced.
  State with(const Variable& variable, Value value) const;
  bool has(const Variable& variable) const;
  /// Throws Error naming the variable when it has no value.
  const Value& operator[](const Variable& variable) const;
  /// N. Throws Error when nothing is set.
  Index batch() const;
  /// Dtype and device of the first value set. Throws Error when nothing is set.
  Placement placement() const;
  bool empty() const;

  /// What the batch is beside its values: the noise of factors (under a key that is not that of moves), the
  /// number of the first row, lengths of sequences. Of a State that nobody gave one: no noise.
  const Context& context() const { return context_; }
  State& in(Context context);
  /// A State without values in this one's context: what a batch becomes elsewhere keeps its noise.
  State like() const { return State().in(context_); }

  /// What a transition keeps from move to move (momenta, step sizes), by name: values [N, ...], one row a
  /// sample. It travels with the state, and is no variable: energies do not see it.
  State& remember(const std::string& name, Value value);
  /// Undefined when there is none.
  Value recall(const std::string& name) const;
  const std::map<std::string, Value>& memory() const { return memory_; }

 private:
  const Value& first(const char* what) const;

  std::vector<Value> values_;  // by variable index; undefined where not set
  std::map<std::string, Value> memory_;
  Context context_;
};

}  // namespace basin
