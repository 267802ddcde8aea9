#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "modules/module.h"

namespace basin {

/// What some neighbours of a Sequential give together.
struct FusedLayers {
  Value y;
  std::size_t modules = 0;  // that took part
};

/// A rewrite of neighbours from `first` on, in fewer passes over memory: a Linear on [N, in] or a Conv2d,
/// with a bias, then relu, tanh or sigmoid; behind a Conv2d perhaps a maximum over windows. Bias and
/// function, which never decrease, come after the maximum, where there is less of them; max f(a + b) = f(max
/// a + b). None where the neighbours are others. A Linear keeps the bits of its neighbours one after another.
///
/// The rewrite rule "layers": a Sequential uses it unless SequentialOptions::fused says otherwise.
std::optional<FusedLayers> fused_layers(const std::vector<std::shared_ptr<const Module>>& modules,
                                        std::size_t first, const Value& x);
/// Whether it recognises them.
bool are_fused_layers(const std::vector<std::shared_ptr<const Module>>& modules, std::size_t first);

}  // namespace basin
