#pragma once

#include <string>
#include <vector>

#include "energy/scratch.h"
#include "training/optimizers/line_search.h"
#include "training/optimizers/optimizer.h"

namespace basin {

/// The inner product of two vectors, in f64.
double inner(const Tensor& a, const Tensor& b, Scratch& scratch);

/// A loss as a function of one vector x, the numbers of all that moves one after another, with l2/2 |p|^2 of
/// its matrices added.
class FlatLoss {
 public:
  /// `lookout` and `scratch` must outlive this. Throws Error "[who] ..." unless all that moves has one
  /// placement and factor 1.
  FlatLoss(const std::string& who, const std::vector<Moving>& moving, const Lookout& lookout, double l2,
           Scratch& scratch);

  /// x as the parameters stand, and the gradient there; returns the loss.
  double begin(const Tensor& x, const Tensor& gradient);
  /// Moves the parameters to x; the loss there, and its gradient.
  double evaluate(const Tensor& x, const Tensor& gradient);
  /// Moves from x along a direction by a step of strong_wolfe(); x and gradient end there, and so do the
  /// parameters. A step of 0: nothing lower was found, and all is as it was.
  LinePoint search(const LinePoint& start, double first, const WolfeOptions& options, const Tensor& x,
                   const Tensor& direction, const Tensor& gradient);

  /// A vector of this length, by name.
  const Tensor& vector(const std::string& name) { return scratch_.get(name, {size_}, placement_); }
  Index size() const { return size_; }
  Placement placement() const { return placement_; }

 private:
  /// Writes the gradient with the penalty's slope; returns the penalty.
  double penalised(const std::vector<Gradient>& gradients, const Tensor& gradient);

  std::vector<Moving> moving_;
  const Lookout& lookout_;
  double l2_;
  Scratch& scratch_;
  Index size_ = 0;
  Placement placement_;
};

}  // namespace basin
