#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "autograd/gradient.h"
#include "modules/parameter.h"
#include "training/optimizers/schedule.h"

namespace basin {

/// Tensors by name: what a checkpoint keeps of an optimizer or of averaged parameters.
using NamedTensors = std::map<std::string, Tensor>;

/// Groups of parameters: the beginning of their names -> factor of the learning rate, 0 = frozen. The longest
/// beginning that fits counts; parameters that none fits have factor 1.
using Rates = std::map<std::string, double>;
double rate_of(const Rates& rates, const std::string& parameter);

/// Lowers a loss: writes new numbers into the parameters' tensors, in place.
class Optimizer {
 public:
  Optimizer(std::string name, Rates rates) : name_(std::move(name)), rates_(std::move(rates)) {}
  virtual ~Optimizer() = default;

  /// Factors of the learning rate; a frozen parameter keeps its bits, and needs no gradient.
  const Rates& rates() const { return rates_; }
  /// One update of all parameters. gradients[i] belongs to parameters[i]; an empty Gradient leaves its
  /// parameter alone, and buffers stay. Throws Error "[name] ..." when the counts differ, or as check_rates
  /// does.
  void step(const std::vector<Parameter>& parameters, const std::vector<Gradient>& gradients,
            const Position& position);
  /// Everything but the options, by name ("velocity.<parameter>"); live handles: copy them to keep them.
  const NamedTensors& state() const { return state_; }
  /// Takes copies of what state() gave; the next step continues as if never interrupted.
  void restore(const NamedTensors& state);

 protected:
  /// Called once an update, before the parameters.
  virtual void begin(const Position& position) = 0;
  /// Moves one parameter; `factor` is that of its rate.
  virtual void move(const Parameter& parameter, const Gradient& gradient, double factor) = 0;

  NamedTensors state_;

 private:
  std::string name_;
  Rates rates_;
};

/// Moves nothing: for objectives that update their parameters themselves (Objective::finish_step).
class NoOptimizer final : public Optimizer {
 public:
  NoOptimizer() : Optimizer("none", {}) {}

 protected:
  void begin(const Position&) override {}
  void move(const Parameter&, const Gradient&, double) override {}
};

/// Throws Error "[who] ..." when a group has no parameter, or a factor that is no number of at least 0.
void check_rates(const std::string& who, const std::vector<Parameter>& parameters, const Rates& rates);

/// The named tensor, zeros at first, with the shape and placement of `like`. Throws Error when a restored one
/// has another shape.
Tensor& state_like(NamedTensors& state, const std::string& name, const Tensor& like);
/// Adds one to the tensor "count" of a state, 0 at first, and returns it.
Index count_up(NamedTensors& state);
/// Copies that share nothing.
NamedTensors cloned(const NamedTensors& state);

}  // namespace basin
