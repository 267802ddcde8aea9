#include "energy/marginal/conditional_expansion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/ends.h"
#include "energy/sample_ops.h"
#include "tensor/demands.h"
#include "tensor/error.h"
#include "tensor/flags.h"

namespace basin {
namespace {

/// Gradients of an output that may not depend on anything differentiable at all (a block that no factor
/// reads).
std::vector<Value> gradients(const Value& output, const std::vector<Value>& wrt, bool differentiable) {
  if (output.tracked()) {
    return grad(output, wrt, {.differentiable = differentiable});
  }
  std::vector<Value> zeros;
  for (const Value& value : wrt) {
    zeros.push_back(zeros_like(value));
  }
  return zeros;
}

/// Without the number, which nobody waits for.
void demand_positive(Demands& later, const Value& curvature, const Variable& variable) {
  later.check("conditional " + variable.name, Check::Positive, curvature.tensor(), [name = variable.name] {
    throw NotConvex(fmt::format(
        "[conditional] expected an energy that is convex in {0} (curvature > 0), received another; "
        "add Quadratic({0}) to the graph; where it has one, its parameters have left all bounds: "
        "lower the learning rate",
        name));
  });
}

}  // namespace

void require_positive(const std::vector<Value>& curvature, const Block& block) {
  const auto first = std::ranges::find_if(curvature, &Value::defined);
  if (first == curvature.end()) return;
  if (Demands* later = Demands::of(first->tensor().device())) {
    for (std::size_t i = 0; i < block.size(); ++i) {
      if (curvature[i].defined()) demand_positive(*later, curvature[i], block[i]);
    }
    return;
  }
  Flags flags(static_cast<Index>(block.size()));
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (curvature[i].defined()) flags.check(static_cast<Index>(i), Check::Positive, curvature[i].tensor());
  }
  const std::vector<Index> raised = flags.raised();
  if (raised.empty()) return;
  const auto i = static_cast<std::size_t>(raised.front());
  const double lowest = -max(reshape(-curvature[i].detached(), {curvature[i].tensor().size()}), 0).item();
  const std::string advice = std::isnan(lowest)
                                 ? "parameters have left all bounds: lower the learning rate"
                                 : fmt::format(
                                       "add Quadratic({}) to the graph; where it has one, its "
                                       "parameters have left all bounds: lower the learning rate",
                                       block[i].name);
  throw NotConvex(fmt::format(
      "[conditional] expected an energy that is convex in {} (curvature > 0), received {:.6g}; {}",
      block[i].name, lowest, advice));
}

Value units_inside(const FactorGraph& graph, const Variable& variable, const State& rest) {
  if (rest.empty() || !rest.context().lengths.defined() || !contains(graph.sequences(), variable)) return {};
  Shape units = batched(resolved(graph, variable, rest), rest.batch());
  if (variable.domain == Domain::Categorical) units.pop_back();
  const Variable& declared = graph.variables()[static_cast<std::size_t>(variable.index)];
  return inside_lengths(declared, std::move(units), rest.context(), rest.placement());
}

Value curvature_inside(const Value& curvature, const Value& inside) {
  return curvature.defined() && inside.defined() ? curvature + (1.0 - inside) : curvature;
}

bool is_continuous(const Variable& variable) {
  return variable.domain == Domain::Real || variable.domain == Domain::NonNegative;
}

void require_block(const FactorGraph& graph, const Block& block, const char* who) {
  for (auto variable = block.begin(); variable != block.end(); ++variable) {
    if (!graph.has(*variable)) {
      throw Error(
          fmt::format("[{}] block {} has variable {}, which is not of this graph; use the variables that the "
                      "graph returned",
                      who, to_string(block), variable->name));
    }
    if (std::find(block.begin(), variable, *variable) != variable) {
      throw Error(fmt::format("[{}] block {} has variable {} twice; name it once", who, to_string(block),
                              variable->name));
    }
  }
}

Expansion expand(const FactorGraph& graph, const Block& block, const State& rest, ExpansionOptions options) {
  require_block(graph, block, "conditional");
  const Placement placement = rest.empty() ? graph.placement() : rest.placement();
  const Index batch = rest.empty() ? 1 : rest.batch();
  State at = rest;
  std::vector<Value> origin;
  for (const Variable& variable : block) {
    const Variable fixed = resolved(graph, variable, rest);
    origin.push_back(Value::leaf(options.at_values ? rest[variable].tensor()
                                                   : Tensor::zeros(batched(fixed, batch), placement)));
    at.set(variable, origin.back());
  }

  Expansion result;
  result.energy = options.whole ? graph.energy(at) : graph.energy_touching(block, at);
  result.curvature.resize(block.size());
  if (block.empty()) {
    return result;
  }
  const bool continuous = std::any_of(block.begin(), block.end(), is_continuous);
  result.drive = gradients(-sum(result.energy), origin, options.differentiable || continuous);
  if (continuous) {
    // Row sums of the Hessian, which are its diagonal when it has nothing else.
    Value total;
    std::vector<Value> points;
    for (std::size_t i = 0; i < block.size(); ++i) {
      if (is_continuous(block[i])) {
        total = total.defined() ? total - sum(result.drive[i]) : -sum(result.drive[i]);
        points.push_back(origin[i]);
      }
    }
    std::vector<Value> rows = gradients(total, points, options.differentiable);
    for (std::size_t i = 0, next = 0; i < block.size(); ++i) {
      if (is_continuous(block[i])) {
        result.curvature[i] = std::move(rows[next++]);
      }
    }
  }
  if (!options.partial) {
    for (std::size_t i = 0; i < block.size(); ++i) {
      result.inside.push_back(units_inside(graph, block[i], rest));
      result.curvature[i] = curvature_inside(result.curvature[i], result.inside[i]);
    }
    if (continuous) require_positive(result.curvature, block);
  }
  if (!options.differentiable) {
    for (Value& drive : result.drive) {
      drive = drive.detached();
    }
  }
  return result;
}

}  // namespace basin
