#pragma once

#include <optional>
#include <string>
#include <vector>

#include "energy/state.h"
#include "modules/parameter.h"

namespace basin {

/// One term of an energy.
class Factor {
 public:
  virtual ~Factor() = default;
  /// "Bilinear(v, h)", for messages and results files.
  virtual std::string name() const = 0;
  /// The variables it reads, and no others.
  virtual std::vector<Variable> scope() const = 0;
  /// One energy per sample, [N]; samples of a batch never mix.
  virtual Value energy(const State& state) const = 0;
  virtual std::vector<Parameter> parameters() const { return {}; }

  /// argmin_z step * E(z) + 1/2 |z - value|^2, for a factor that is not smooth in one variable. nullopt: the factor is smooth in
  /// this variable. `step` may be any positive number.
  virtual std::optional<Value> prox(const Variable& /*variable*/, const Value& /*value*/, double /*step*/) const { return std::nullopt; }
};

}  // namespace basin
