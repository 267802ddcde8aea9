#include "energy/transition.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace basin {

std::string to_string(const Block& block) {
  std::string text;
  for (const Variable& variable : block) {
    text += (text.empty() ? "" : ", ") + variable.name;
  }
  return "{" + text + "}";
}

Block Transition::moves() const {
  if (const std::optional<ProximalScheme> scheme = proximal()) return {scheme->z};
  if (const std::optional<Variable> z = coordinate()) return {*z};
  return {};
}

State iterate(const Transition& transition, const FactorGraph& graph, State state, Index steps, Key key) {
  if (steps < 0) {
    throw Error(fmt::format("[iterate] expected steps >= 0, received {}", steps));
  }
  for (Index i = 0; i < steps; ++i) {
    state = transition(graph, state, key.fold(static_cast<std::uint64_t>(i)));
  }
  return state;
}

}  // namespace basin
