#include "energy/objectives/density/score_slope.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/cross_entropy.h"
#include "energy/factors/network.h"
#include "energy/factors/score.h"
#include "energy/factors/squared_error.h"
#include "modules/activation.h"
#include "modules/activations.h"
#include "modules/images/pool2d.h"
#include "modules/sequential/sequential.h"
#include "tensor/error.h"

namespace basin {
namespace {

bool has_kink(Activation::Kind kind, const std::vector<double>& arguments) {
  using enum Activation::Kind;
  switch (kind) {
    case Step:
    case Relu:
    case Brelu:
    case Leaky:
    case Prelu:
    case Rrelu:
    case Selu:
    case Shrink:
    case LearnedShrink:
    case Abs:
    case WinnerTakeAll:
    case Maxout:
      return true;
    case Elu:
      return arguments.front() != 1.0;  // its slope at 0 is then a on the left and 1 on the right
    default:
      return false;
  }
}

/// The name of a layer whose slope jumps; "": there is none that is known.
std::string kink_of(const Module& module) {
  if (const auto* sequence = dynamic_cast<const Sequential*>(&module)) {
    for (const auto& each : sequence->modules()) {
      if (std::string name = kink_of(*each); !name.empty()) return name;
    }
  }
  if (const auto* unit = dynamic_cast<const Activation*>(&module)) {
    if (has_kink(unit->kind(), unit->arguments()))
      return activations().at(static_cast<std::size_t>(unit->kind())).name;
  }
  const auto* pool = dynamic_cast<const Pool2d*>(&module);
  return pool != nullptr && pool->kind() == Pool2d::Kind::Max ? "pool max" : "";
}

template <class F>
const Module* module_of(const Factor& factor) {
  const auto* holder = dynamic_cast<const F*>(&factor);
  return holder == nullptr ? nullptr : &holder->module();
}

std::string kink_of(const Factor& factor) {
  for (const Module* module : {module_of<Network>(factor), module_of<SquaredError>(factor),
                               module_of<CrossEntropy>(factor), module_of<Score>(factor)}) {
    if (module == nullptr) continue;
    if (std::string name = kink_of(*module); !name.empty()) return name;
  }
  return "";
}

}  // namespace

Value slope_of(const Value& output, const Value& x) {
  if (!output.tracked()) return zeros_like(x);
  return grad(sum(output), {x}, {.differentiable = true}).front();
}

ScoreSlope score_slope(const FactorGraph& graph, const Joined& joined, const State& batch,
                       const Value& rows) {
  ScoreSlope found;
  found.x = Value::leaf(rows.tensor());
  found.slope = slope_of(free_energy(graph, joined.latents, joined.with(batch, found.x)), found.x);
  return found;
}

void require_smooth(const char* who, const FactorGraph& graph, const Block& block, Derivatives derivatives) {
  for (const FactorGraph::Term& term : graph.touching(block)) {
    for (const Variable& variable : term.factor->scope()) {
      if (!contains(block, variable) || term.factor->smooth_in(variable)) continue;
      throw Error(
          fmt::format("[{}] expected an energy that is differentiable in {}, received {}, which has a "
                      "kink or a wall there; take noise_contrastive, or a contrast",
                      who, variable.name, term.factor->name()));
    }
    if (derivatives == Derivatives::First) continue;
    if (const std::string kink = kink_of(*term.factor); !kink.empty()) {
      throw Error(
          fmt::format("[{}] expected an energy with second derivatives, received {} with a layer "
                      "'{}', whose slope jumps; take softplus, tanh or silu, or "
                      "denoising_score_matching, which needs slopes alone",
                      who, term.factor->name(), kink));
    }
  }
}

}  // namespace basin
