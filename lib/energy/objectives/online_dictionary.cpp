#include "energy/objectives/online_dictionary.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/dictionary.h"
#include "modules/linear.h"
#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/solvers.h"

namespace basin {
namespace {

constexpr double kUnused =
    1e-7;  // second moment, beside the largest of any, below which an atom's optimum is not known

/// The largest second moment of an atom's codes: no other entry of their Gram matrix is larger.
double largest_moment(const Tensor& gram) { return max(Value(gram.reshaped({gram.size()})), 0).item(); }

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
  Tensor& tensor = carry[name];
  if (!tensor.defined()) tensor = Tensor::zeros(shape, placement);
  return tensor;
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

OnlineDictionary::OnlineDictionary(LatentMinimum minimum, std::string dictionary,
                                   OnlineDictionaryOptions options)
    : minimum_(std::move(minimum)), dictionary_(std::move(dictionary)), options_(options) {
  if (!(options_.forget >= 0.0 && std::isfinite(options_.forget))) {
    throw Error(fmt::format("[online_dictionary] expected forget >= 0, received {}", options_.forget));
  }
}

Evaluation OnlineDictionary::evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                                      EvaluateOptions options) const {
  const Variable& z = minimum_.variable();
  const Variable& y = explained(graph, z, dictionary_);
  const Inferred inferred = minimum_.minimum(graph, batch, key.fold("infer"));
  const Tensor codes = flatten(inferred.state[z]).tensor(), data = flatten(batch[y]).tensor();

  Tensor& batches = carried(carry, "online.batches", {1}, {Dtype::F64, Device::Cpu});
  const double t = batches.item() + 1.0;
  batches = Tensor::full({1}, t, {Dtype::F64, Device::Cpu});
  const double weight = std::pow(
      1.0 - 1.0 / t, options_.forget);  // of the first batch 0, or 1 (and nothing to weigh) with forget = 0
  accumulate(codes, codes, weight,
             carried(carry, "online.gram", {codes.dim(1), codes.dim(1)}, codes.placement()));
  accumulate(codes, data, weight,
             carried(carry, "online.cross", {codes.dim(1), data.dim(1)}, codes.placement()));
  // Its own step moves the dictionary; the others have gradients.
  if (options.wants.empty()) options.wants.assign(graph.parameters().size(), true);
  options.wants[graph.index_of(graph.parameter(dictionary_))] = false;
  return minimum_.evaluate_at(graph, inferred, carry, options);
}

void OnlineDictionary::finish_step(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                                   const std::vector<bool>& wants) const {
  const Parameter dictionary = graph.parameter(dictionary_);
  if (!wants.empty() && !wants[graph.index_of(dictionary)]) {
    minimum_.finish(graph, batch, carry, key, wants);
    return;
  }
  const Tensor& rows = dictionary.tensor();
  const Tensor &gram = carry.at("online.gram"), &cross = carry.at("online.cross");
  const double tiny = kUnused * largest_moment(gram);
  if (Solvers* table = solvers(rows.device())) {
    table->dictionary({.dtype = rows.dtype(),
                       .atoms = rows.dim(0),
                       .features = rows.dim(1),
                       .gram = gram.data(),
                       .cross = cross.data(),
                       .tiny = tiny,
                       .dictionary = rows.data()});
  } else {
    pass_over(rows, gram, cross, tiny);
  }
  for (const Index atom : minimum_.finish(graph, batch, carry, key, wants)) {
    // What old codes said of a replaced atom is not true of the new one.
    gram.rows(atom, atom + 1).fill(0.0);
    cross.rows(atom, atom + 1).fill(0.0);
    for (Index k = 0; k < gram.dim(0); ++k)
      gram.reshaped({gram.size(), 1}).rows(k * gram.dim(0) + atom, k * gram.dim(0) + atom + 1).fill(0.0);
  }
}

}  // namespace basin
