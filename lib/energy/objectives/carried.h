#pragma once

#include <string>
#include <vector>

#include "energy/objectives/objective.h"

namespace basin {

// What contrasts keep in their Carry, for the derived and the fused path alike.

/// The carried tensor of that name, converted to `placement` if it came from elsewhere; undefined when there
/// is none yet.
/// Throws Error when a carried one has another shape.
Tensor carried(Carry& carry, const std::string& name, const Shape& shape, Placement placement);

/// The first `chains` samples of a batch, from the beginning again when there are too few.
Tensor first_samples(const Tensor& batch, Index chains);

/// offset <- (1 - rate) offset + rate mean; the first mean becomes the offset. Carried as
/// "offset.<variable>".
Tensor slide_offset(Carry& carry, const std::string& variable, const Tensor& mean, double rate);

/// The carried "fast.<parameter>" of every parameter, zeros at first.
std::vector<Tensor> fast_weights(Carry& carry, const std::vector<Parameter>& parameters);

/// fast <- 19/20 fast - rate * gradient (Tieleman, Hinton 2009, section 4).
void update_fast_weights(const std::vector<Tensor>& fast, const std::vector<Gradient>& gradients,
                         double rate);

}  // namespace basin
