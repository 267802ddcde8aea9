#include "energy/objectives/latents/online_dictionary.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/factors/squared_error.h"
#include "modules/linear.h"
#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/solvers.h"

namespace basin {
namespace {

constexpr double kUnused =
    1e-7;  // second moment, beside the largest of any, below which an atom's optimum is not known

/// What the dictionary explains.
const Variable& explained(const FactorGraph& graph, const Variable& z, const std::string& name) {
  for (const auto& [error, weight] : graph.factors<SquaredError>(z)) {
    const auto* linear = dynamic_cast<const Linear*>(&error->module());
    if (linear != nullptr && !linear->bias() && error->source() == z &&
        error->parameters().front().name() == name)
      return error->target();
  }
  throw Error(
      fmt::format("[online_dictionary] expected {} to be the weight of a SquaredError(y, Linear without "
                  "bias, {}), received no such "
                  "factor; learn it by gradients",
                  name, z.name));
}

Tensor& carried(Carry& carry, const std::string& name, const Shape& shape, Placement placement) {
  if (!recall(carry, name, shape, placement).defined()) carry[name] = Tensor::zeros(shape, placement);
  return carry[name];
}

/// sums = weight * sums + left' right / N.
void accumulate(const Tensor& left, const Tensor& right, double weight, const Tensor& sums) {
  backend(sums.device())
      .gemm({.dtype = sums.dtype(),
             .transpose_a = true,
             .m = left.dim(1),
             .n = right.dim(1),
             .k = left.dim(0),
             .alpha = 1.0 / static_cast<double>(left.dim(0)),
             .a = left.data(),
             .lda = left.dim(1),
             .b = right.data(),
             .ldb = right.dim(1),
             .beta = weight,
             .c = sums.data(),
             .ldc = right.dim(1)});
}

/// The pass of DictionaryCall, for devices without solvers: atom after atom by ops.
void pass_over(const Tensor& dictionary, const Tensor& gram, const Tensor& cross, double tiny) {
  for (Index j = 0; j < dictionary.dim(0); ++j) {
    const Tensor row = dictionary.rows(j, j + 1), moments = gram.rows(j, j + 1);
    const Value now(row), diagonal = slice(moments, 1, j, j + 1);
    const Value used = step(diagonal - tiny);
    const Value move =
        (cross.rows(j, j + 1) - matmul(moments, dictionary)) / (diagonal * used + (1.0 - used));
    const Value to = now + used * move, norm = sqrt(sum(square(to), {1}, {.keep = true}));
    const Value moves = used * step(norm);
    row.copy_from((moves * to / (norm + (1.0 - moves)) + (1.0 - moves) * now).tensor());
  }
}

}  // namespace

void OnlineDictionary::add(const FactorGraph& graph, const Variable& z, const State& inferred,
                           Carry& carry) const {
  const Tensor codes = flatten(inferred[z]).tensor(),
               data = flatten(inferred[explained(graph, z, dictionary)]).tensor();
  Tensor& batches = carried(carry, "online.batches", {1}, {Dtype::F64, Device::Cpu});
  const double t = batches.item() + 1.0;
  batches = Tensor::full({1}, t, {Dtype::F64, Device::Cpu});
  // Of the first batch 0, or 1 (and nothing to weigh) with forget = 0.
  const double weight = std::pow(1.0 - 1.0 / t, forget);
  accumulate(codes, codes, weight,
             carried(carry, "online.gram", {codes.dim(1), codes.dim(1)}, codes.placement()));
  accumulate(codes, data, weight,
             carried(carry, "online.cross", {codes.dim(1), data.dim(1)}, codes.placement()));
}

void OnlineDictionary::move(const FactorGraph& graph, const Carry& carry) const {
  const Tensor rows = graph.parameter(dictionary).tensor();
  const Tensor &gram = carry.at("online.gram"), &cross = carry.at("online.cross");
  // No entry of a Gram matrix is larger than its largest diagonal one.
  const double tiny = kUnused * max(Value(gram.reshaped({gram.size()})), 0).item();
  Solvers* table = solvers(rows.device());
  if (table == nullptr) return pass_over(rows, gram, cross, tiny);
  table->dictionary({.dtype = rows.dtype(),
                     .atoms = rows.dim(0),
                     .features = rows.dim(1),
                     .gram = gram.data(),
                     .cross = cross.data(),
                     .tiny = tiny,
                     .dictionary = rows.data()});
}

void OnlineDictionary::forget_atom(Index atom, const Carry& carry) {
  const Tensor &gram = carry.at("online.gram"), &cross = carry.at("online.cross");
  const Index atoms = gram.dim(0);
  gram.rows(atom, atom + 1).fill(0.0);
  cross.rows(atom, atom + 1).fill(0.0);
  for (Index k = 0; k < atoms; ++k)
    gram.reshaped({gram.size(), 1}).rows(k * atoms + atom, k * atoms + atom + 1).fill(0.0);
}

}  // namespace basin
