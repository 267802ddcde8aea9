#include "energy/sample/discrete/unit_colours.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/sample/choose.h"
#include "energy/sample/discrete/units.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr int kPoints = 4;           // of which every other one takes other variables from the data
constexpr Index kNumbers = 1 << 20;  // of a variable's rows in one pass
constexpr Index kSteps = 3;          // of sequences that are not given

using Neighbours = std::vector<std::set<int>>;  // of each unit

/// The block as rows of numbers, and which unit each number belongs to.
struct Units {
  Block block;
  std::vector<int> unit;  // of each number
  int count = 0;

  explicit Units(const Block& given) : block(given) {
    for (const Variable& variable : block) {
      const Index group = variable.domain == Domain::Categorical ? variable.shape.back() : 1;
      for (Index i = 0; i < variable.size(); ++i) {
        if (i % group == 0) ++count;
        unit.push_back(count - 1);
      }
    }
  }
};

/// Random means of bits and codes, random numbers of real variables.
Value means_of(const Variable& variable, Index rows, Key key, Placement placement) {
  const Shape shape = batched(variable, rows);
  const Key own = key.fold(variable.name);
  if (variable.domain == Domain::Categorical) return softmax(3.0 * Value(uniform(own, shape, placement)));
  if (variable.domain == Domain::Binary) return 0.1 + 0.8 * Value(uniform(own, shape, placement));
  const Value draws = normal(own, shape, placement);
  return variable.domain == Domain::NonNegative ? abs(draws) : draws;
}

/// One sample of all that the energy reads: the block at means, others so, too, or as a row of the data.
State point_of(const FactorGraph& graph, const Block& block, const State& data, int number) {
  const Placement placement = data.empty() ? graph.placement() : data.placement();
  const Key key = Key(0).fold("colours").fold(static_cast<std::uint64_t>(number));
  const bool given = number % 2 == 1 && !data.empty() && data.batch() > 0;
  State point;
  if (given) {
    const Index row = (number / 2) % data.batch();
    point = rows_of(graph, data, row, row + 1);
  }
  for (const Variable& declared : graph.variables()) {
    const Variable variable = resolved(graph, declared, data, kSteps);
    if (point.has(variable) && !contains(block, variable)) continue;
    point.set(variable, means_of(variable, 1, key, placement));
  }
  return point;
}

/// The same `count` times, none of them another's replica.
State repeated(const FactorGraph& graph, const State& point, Index count) {
  State all = replicated(graph, point, count);
  Context context = all.context();
  context.replicas = 1;
  return all.in(context);
}

/// H v of each row, [rows, numbers]; undefined where E is affine.
Value hessian_image(const FactorGraph& graph, const Block& block, const State& at, const Value& directions,
                    bool differentiable) {
  State there = at;
  std::vector<Value> points;
  for (const Variable& variable : block) {
    points.push_back(Value::leaf(at[variable].tensor()));
    there.set(variable, points.back());
  }
  const Value energy = graph.energy_touching(block, there);
  if (!energy.tracked()) return {};
  const Value slope = side_by_side(grad(sum(energy), points, {.differentiable = true}));
  const Value along = sum(slope * directions);
  if (!along.tracked()) return {};
  return side_by_side(grad(along, points, {.differentiable = differentiable}));
}

double tolerance_of(Placement placement) { return placement.dtype == Dtype::F64 ? 1e-10 : 1e-6; }

/// Adds what couples at one point.
void look(const FactorGraph& graph, const Units& units, const State& point, Neighbours& neighbours) {
  const auto numbers = static_cast<Index>(units.unit.size());
  const Index at_once = std::clamp<Index>(kNumbers / numbers, 1, numbers);
  const Value all = identity(numbers, point.placement());
  for (Index begin = 0; begin < numbers; begin += at_once) {
    const Index end = std::min(begin + at_once, numbers);
    const Value image = hessian_image(graph, units.block, repeated(graph, point, end - begin),
                                      slice(all, 0, begin, end), false);
    if (!image.defined()) return;
    const std::vector<double> h = image.tensor().values();
    for (Index row = begin; row < end; ++row) {
      const double* of_row = h.data() + (row - begin) * numbers;
      double largest = 0.0;
      for (Index j = 0; j < numbers; ++j) largest = std::max(largest, std::abs(of_row[j]));
      const double limit = largest * tolerance_of(point.placement());
      const int i = units.unit[static_cast<std::size_t>(row)];
      for (Index j = 0; j < numbers; ++j) {
        const int other = units.unit[static_cast<std::size_t>(j)];
        // A NaN couples.
        if (other == i || std::abs(of_row[j]) <= limit) continue;
        neighbours[static_cast<std::size_t>(i)].insert(other);
        neighbours[static_cast<std::size_t>(other)].insert(i);
      }
    }
  }
}

/// The colour of each unit.
std::vector<int> coloured(const Neighbours& neighbours) {
  const std::size_t count = neighbours.size();
  std::vector<int> colour(count, -1);
  std::vector<std::set<int>> around(count);  // colours
  for (std::size_t step = 0; step < count; ++step) {
    std::size_t next = count;
    for (std::size_t i = 0; i < count; ++i) {
      if (colour[i] >= 0) continue;
      const auto rank = [&](std::size_t u) { return std::pair{around[u].size(), neighbours[u].size()}; };
      if (next == count || rank(i) > rank(next)) next = i;
    }
    int free = 0;
    while (around[next].contains(free)) ++free;
    colour[next] = free;
    for (const int other : neighbours[next]) around[static_cast<std::size_t>(other)].insert(free);
  }
  return colour;
}

/// Whether a change of a parameter would couple two units of a colour: rho' H rho of random rho in the units
/// of one colour is 0, and so is its slope in the parameters.
bool may_couple(const FactorGraph& graph, const Units& units, const State& point,
                const std::vector<int>& colours, Index count) {
  const auto numbers = static_cast<Index>(units.unit.size());
  std::vector<double> rho = normal(Key(0).fold("directions"), {count, numbers}).values();
  for (std::size_t k = 0; k < rho.size(); ++k) {
    const auto n = static_cast<std::size_t>(numbers);
    if (colours[static_cast<std::size_t>(units.unit[k % n])] != static_cast<int>(k / n)) rho[k] = 0.0;
  }
  const Value directions = Tensor::from(rho, {count, numbers}, point.placement());
  const Value image = hessian_image(graph, units.block, repeated(graph, point, count), directions, true);
  if (!image.defined() || !image.tracked()) return false;
  std::vector<Value> leaves;
  for (const Parameter& parameter : graph.parameters()) leaves.push_back(parameter.value());
  if (leaves.empty()) return false;
  const std::vector<Value> slopes = grad(sum(image * directions), leaves), sizes = grad(sum(image), leaves);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const auto largest = [](const Value& x) {
      double result = 0.0;
      for (const double value : x.tensor().values())
        result = std::isfinite(value) ? std::max(result, std::abs(value)) : INFINITY;
      return result;
    };
    if (largest(slopes[i]) > tolerance_of(point.placement()) * (1.0 + largest(sizes[i]))) return true;
  }
  return false;
}

/// Whether a factor that declares nothing reads values beside the block.
bool reads_others(const FactorGraph& graph, const Block& block) {
  for (const FactorGraph::Term& term : graph.touching(block)) {
    const Block scope = term.factor->scope();
    const bool undeclared = std::any_of(scope.begin(), scope.end(), [&](const Variable& variable) {
      return contains(block, variable) && term.factor->order_in(variable) == Order::Undeclared;
    });
    if (undeclared && !std::all_of(scope.begin(), scope.end(),
                                   [&](const Variable& variable) { return contains(block, variable); }))
      return true;
  }
  return false;
}

}  // namespace

std::shared_ptr<const UnitColours> unit_colours(const FactorGraph& graph, const Block& block,
                                                const State& data, const char* who, bool anew) {
  const Index numbers = size_of(block);
  if (numbers > kMostUnits) {
    throw Error(fmt::format(
        "[{}] expected at most {} numbers to find the colours of, received {} of {}; move them by "
        "BlockGibbs with blocks of your own, or by GibbsWithGradients",
        who, kMostUnits, numbers, to_string(block)));
  }
  std::vector<std::shared_ptr<const Factor>> factors;
  for (const FactorGraph::Term& term : graph.touching(block)) {
    const std::shared_ptr<const Factor> plain = term.factor->without_row_scales();
    factors.push_back(plain ? plain : term.factor);
  }
  std::vector<int> members;
  for (const Variable& variable : block)
    members.insert(members.end(), {variable.index, static_cast<int>(variable.size())});
  if (!anew) {
    if (auto known = graph.probes().colours(factors, members)) return known;
  }

  // Weights of no meaning, so that what two factors say does not cancel.
  const FactorGraph plain =
      graph
          .wrapped([](const std::shared_ptr<const Factor>& factor) {
            const std::shared_ptr<const Factor> inner = factor->without_row_scales();
            return inner ? inner : factor;
          })
          .weighted([](std::size_t i, const FactorGraph::Term& term) {
            return term.weight == 0.0 ? 0.0 : 0.6 + std::fmod(static_cast<double>(i) * 0.618, 1.0);
          });
  const Units units(block);
  Neighbours neighbours(static_cast<std::size_t>(units.count));
  for (int number = 0; number < kPoints; ++number)
    look(plain, units, point_of(plain, block, data, number), neighbours);
  const std::vector<int> colours = coloured(neighbours);

  auto found = std::make_shared<UnitColours>();
  for (const int colour : colours) found->count = std::max<Index>(found->count, colour + 1);
  for (std::size_t number = 0; const Variable& variable : block) {
    std::vector<int>& of = found->of.emplace_back();
    for (Index i = 0; i < variable.size(); ++i)
      of.push_back(colours[static_cast<std::size_t>(units.unit[number++])]);
  }
  found->lasting = !reads_others(plain, block) &&
                   !may_couple(plain, units, point_of(plain, block, data, 0), colours, found->count);
  graph.probes().learn_colours(factors, members, found);
  return found;
}

}  // namespace basin
