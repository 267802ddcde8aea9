#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "energy/minimise/unroll/unroll.h"
#include "energy/minimise/unroll/unroll_quadratic.h"

namespace basin {

/// The layers of an unrolled inference: transitions with parameters of their own, which ask the graph
/// nothing.
struct UnrolledLayers {
  std::vector<std::shared_ptr<const Transition>> layers;
  std::vector<Parameter> parameters;
};

/// What a state remembers when its code is not z itself.
inline constexpr const char* kCodeMemory = "unroll.code";

/// Layers of ISTA with that step; without a step, of coordinate descent.
UnrolledLayers unroll_layers(const UnrollQuadratic& form, std::optional<double> step, const Variable& from,
                             const Variable& to, const UnrollOptions& options);

}  // namespace basin
