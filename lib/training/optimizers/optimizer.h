#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "autograd/gradient.h"
#include "energy/objectives/objective.h"
#include "energy/scratch.h"
#include "modules/parameter.h"
#include "tensor/backend.h"
#include "training/optimizers/restraints.h"
#include "training/optimizers/schedule.h"

namespace basin {

/// Tensors by name: what a checkpoint keeps of an optimizer or of averaged parameters.
using NamedTensors = std::map<std::string, Tensor>;

/// Groups of parameters: the beginning of their names -> factor of the learning rate, 0 = frozen. The longest
/// beginning that fits counts; parameters that none fits have factor 1.
using Rates = std::map<std::string, double>;
double rate_of(const Rates& rates, const std::string& parameter);

/// The loss where an optimizer stands, and a way to look at it elsewhere.
struct Lookout {
  double loss = 0.0;
  /// Gradients and the metric "loss" at the parameters as they are now: the same batch, the same draws.
  std::function<Evaluation()> evaluate = {};
};

/// A parameter that a step moves.
struct Moving {
  Parameter parameter;
  Gradient gradient;
  double factor = 1.0;    // of its rate
  std::size_t index = 0;  // among all parameters
};

/// Lowers a loss: writes new numbers into the parameters' tensors, in place.
class Optimizer {
 public:
  Optimizer(std::string name, Rates rates, Restraints restraints = {});
  virtual ~Optimizer() = default;

  /// Factors of the learning rate; a frozen parameter keeps its bits, and needs no gradient.
  const Rates& rates() const { return rates_; }
  /// Whether a step looks at the loss elsewhere: step() then needs a lookout.
  virtual bool looks_out() const { return false; }
  /// One update of all parameters. gradients[i] belongs to parameters[i]; an empty Gradient leaves its
  /// parameter alone, and buffers stay. Allocates no tensor once warm, but where gradients are looked at
  /// elsewhere. Throws Error "[name] ..." when the counts differ, a lookout is missing, or as check_rates
  /// does.
  void step(const std::vector<Parameter>& parameters, const std::vector<Gradient>& gradients,
            const Position& position, const Lookout& lookout = {});
  /// Everything but the options, by name ("velocity.<parameter>"); live handles: copy them to keep them.
  const NamedTensors& state() const { return state_; }
  /// Takes copies of what state() gave; the next step continues as if never interrupted.
  void restore(const NamedTensors& state);

 protected:
  /// The whole step: by default begin(), then each parameter by itself, restrained.
  virtual void update(const std::vector<Moving>& moving, const Position& position, const Lookout& lookout);
  /// Called once an update, before the parameters.
  virtual void begin(const Position& /*position*/) {}
  /// Moves one parameter.
  virtual void move(const Parameter& /*parameter*/, const Gradient& /*gradient*/, double /*factor*/) {}

  /// A pass over one parameter that move() leaves to the end of the update, where those of all parameters are
  /// done at once. Until then its arrays must stay as they are.
  void later(Device device, const MomentumCall& call);
  void later(Device device, const AdaptiveCall& call);

  /// The gradient as one tensor: its own, or its products multiplied out into work memory.
  const Tensor& dense(const Parameter& parameter, const Gradient& gradient);
  const std::string& name() const { return name_; }

  NamedTensors state_;
  Scratch scratch_;

 private:
  /// What brings the gradients' norm to Restraints::clip_norm, at most 1. On other devices than the CPU it
  /// stays there, in scratch_ under "shortening", and this is 1: nothing waits for it.
  double shortening(const std::vector<Moving>& moving);
  Gradient restrained(const Moving& each, double scale, bool penalised);
  /// Does what was left for later.
  void settle();

  Device device_ = Device::Cpu;  // of the calls
  std::vector<MomentumCall> momentum_calls_;
  std::vector<AdaptiveCall> adaptive_calls_;
  std::string name_;
  Rates rates_;
  Restraints restraints_;
};

/// Moves nothing: for objectives that update their parameters themselves (Objective::finish_step).
class NoOptimizer final : public Optimizer {
 public:
  NoOptimizer() : Optimizer("none", {}) {}
};

/// Throws Error "[who] ..." when a group has no parameter, or a factor that is no number of at least 0.
void check_rates(const std::string& who, const std::vector<Parameter>& parameters, const Rates& rates);

/// The named tensor, zeros at first, with the shape and placement of `like`. Throws Error when a restored one
/// has another shape.
Tensor& state_like(NamedTensors& state, const std::string& name, const Tensor& like);
Tensor& state_of(NamedTensors& state, const std::string& name, const Shape& shape, Placement placement);
/// Adds one to the tensor "count" of a state, 0 at first, and returns it.
Index count_up(NamedTensors& state);
/// Copies that share nothing.
NamedTensors cloned(const NamedTensors& state);

}  // namespace basin
