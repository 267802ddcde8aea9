#pragma once

#include <map>
#include <memory>
#include <string>
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
  virtual ~Optimizer() = default;
  virtual std::string name() const = 0;
  /// Factors of the learning rate; a frozen parameter keeps its bits, and needs no gradient.
  virtual const Rates& rates() const = 0;
  /// One update of all parameters. gradients[i] belongs to parameters[i]; an empty Gradient leaves its
  /// parameter alone. Throws Error when the counts differ, or when a group has no parameter.
  virtual void step(const std::vector<Parameter>& parameters, const std::vector<Gradient>& gradients,
                    const Position& position) = 0;
  /// Everything but the options, by name ("velocity.<parameter>"); live handles: copy them to keep them.
  virtual NamedTensors state() const = 0;
  /// Takes copies of what state() gave; the next step continues as if never interrupted.
  virtual void restore(const NamedTensors& state) = 0;
  /// The same options with no state.
  virtual std::unique_ptr<Optimizer> fresh() const = 0;
};

/// Moves nothing: for objectives that update their parameters themselves (Objective::finish_step).
class NoOptimizer final : public Optimizer {
 public:
  std::string name() const override { return "none"; }
  const Rates& rates() const override { return rates_; }
  void step(const std::vector<Parameter>&, const std::vector<Gradient>&, const Position&) override {}
  NamedTensors state() const override { return {}; }
  void restore(const NamedTensors&) override {}
  std::unique_ptr<Optimizer> fresh() const override { return std::make_unique<NoOptimizer>(); }

 private:
  Rates rates_;
};

// What every optimizer needs:

/// Throws Error "[who] ..." when the counts differ, or when a group has no parameter or a factor that is no
/// number of at least 0.
void check_step(const std::string& who, const std::vector<Parameter>& parameters,
                const std::vector<Gradient>& gradients, const Rates& rates);
/// Neither a dense part nor products.
bool is_empty(const Gradient& gradient);
/// The named tensor, zeros at first, with the shape and placement of `like`. Throws Error when a restored one
/// has another shape.
Tensor& state_like(NamedTensors& state, const std::string& name, const Tensor& like);
/// Copies that share nothing.
NamedTensors cloned(const NamedTensors& state);

}  // namespace basin
