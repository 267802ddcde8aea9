#include "energy/objectives/density/joined.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "energy/sample_ops.h"
#include "energy/side_by_side.h"
#include "energy/transition.h"
#include "tensor/error.h"

namespace basin {

void require_domain(const char* who, const Block& block, Domain domain, const char* instead) {
  if (block.empty())
    throw Error(fmt::format("[{}] expected at least one {} variable, received none", who, to_string(domain)));
  for (const Variable& variable : block) {
    if (variable.domain == domain) continue;
    throw Error(fmt::format("[{}] expected {} variables, received {}, which is {}; {}", who,
                            to_string(domain), variable.name, to_string(variable.domain), instead));
  }
}

Joined::Joined(const char* who, const FactorGraph& graph, const Block& asked, Domain domain,
               const State& batch) {
  require_domain(who, asked, domain, "take another objective");
  for (const Variable& variable : asked) {
    if (!graph.has(variable) || !batch.has(variable)) {
      throw Error(fmt::format("[{}] expected {} in the graph and in the batch, received neither or one", who,
                              variable.name));
    }
    if (batch.context().lengths.defined() && contains(graph.sequences(), variable)) {
      throw Error(
          fmt::format("[{}] expected samples of one length, received sequences {} of several, whose "
                      "padding would count; leave Context::lengths out",
                      who, variable.name));
    }
  }
  block = resolved(graph, asked, batch);
  size = size_of(block);
  for (const Variable& variable : graph.variables()) {
    if (!batch.has(variable)) latents.push_back(variable);
  }
}

Value Joined::values(const State& state) const {
  std::vector<Value> parts;
  for (const Variable& variable : block) parts.push_back(state[variable]);
  return side_by_side(parts);
}

State Joined::with(const State& state, const Value& rows) const {
  State placed = state;
  const std::vector<Value> parts = parted(block, rows);
  for (std::size_t i = 0; i < block.size(); ++i) placed.set(block[i], parts[i]);
  return placed;
}

}  // namespace basin
