#include "energy/marginal/step_bipartite.h"

#include <algorithm>

#include "autograd/ops.h"
#include "modules/lengths.h"
#include "tensor/backend.h"

namespace basin {
namespace {

/// Where rows are among all steps of N sequences of T; undefined where none is left out.
Tensor places_of(const std::vector<Index>& lengths, Index steps, Placement placement) {
  std::vector<double> places;
  for (std::size_t n = 0; n < lengths.size(); ++n) {
    for (Index t = 0; t < lengths[n]; ++t)
      places.push_back(static_cast<double>(static_cast<Index>(n) * steps + t));
  }
  if (places.size() == lengths.size() * static_cast<std::size_t>(steps)) return {};
  return Tensor::from(places, {static_cast<Index>(places.size())}, placement);
}

}  // namespace

int StepBipartite::side(const Variable& variable) const {
  if (sides[0] == variable) return 0;
  return sides[1] == variable ? 1 : -1;
}

std::optional<StepBipartite> recognise_step_bipartite(const FactorGraph& graph) {
  const std::vector<TermOf<StepBilinear>> pairs = graph.factors<StepBilinear>();
  const std::vector<TermOf<StepScore>> scores = graph.factors<StepScore>();
  if (graph.variables().size() != 3 || graph.terms().size() != 2 || pairs.size() != 1 || scores.size() != 1 ||
      pairs[0].weight != 1.0 || scores[0].weight != 1.0)
    return std::nullopt;
  const Variable &v = pairs[0].factor->left(), &h = pairs[0].factor->right();
  const Block& targets = scores[0].factor->targets();
  if (targets.size() != 2 || !contains(targets, v) || !contains(targets, h) || v.domain != Domain::Binary ||
      h.domain != Domain::Binary)
    return std::nullopt;
  const std::size_t term = graph.terms()[0].factor == scores[0].factor ? 0 : 1;
  return StepBipartite{{v, h}, pairs[0].factor, scores[0].factor, term};
}

StepMachines::StepMachines(const FactorGraph& graph, const StepBipartite& pattern, const State& batch)
    : names_{pattern.sides[0].name, pattern.sides[1].name},
      first_sequence_(batch.context().own_row()),
      weight_(pattern.pair->weight().value()) {
  const bool noisy = batch.context().key.has_value();
  const Value f = pattern.biases->scores(noisy ? graph.seen_by(pattern.biases_term, batch) : batch);
  const Index sequences = f.dim(0);
  steps_ = f.dim(1);
  lengths_ = lengths_of(batch.context(), sequences, steps_);
  if (lengths_.empty()) lengths_.assign(static_cast<std::size_t>(sequences), steps_);
  places_ = places_of(lengths_, steps_, f.placement());
  const Value rows = rows_of(f);
  Index begin = 0;
  for (const Variable& target : pattern.biases->targets()) {
    const Index end = begin + target.shape[1];
    biases_[static_cast<std::size_t>(pattern.side(target))] = slice(rows, 1, begin, end);
    begin = end;
  }
}

Value StepMachines::rows_of(const Value& x) const {
  const Value all = reshape(x, {x.dim(0) * x.dim(1), x.dim(2)});
  return places_.defined() ? embedding(all, places_) : all;
}

Value StepMachines::input(int side, const Value& other) const {
  return matmul(other, weight_, {.transpose_b = side == 0}) + bias(side);
}

Value StepMachines::free_energy(int side, const Value& x) const {
  return -sum(bias(side) * x, {1}) - sum(softplus(input(1 - side, x)), {1});
}

void StepMachines::draw(int side, const Tensor& other, Key key, const Tensor& drawn) const {
  drawn.copy_from(bias(side).tensor());
  multiply_by_weight(weight_.tensor(), 1 - side, 1.0, other, 1.0, drawn);
  const Key own = key.fold(names_[static_cast<std::size_t>(side)]);
  const Index width = steps_ * units(side);  // of a sequence, by which draws are counted
  Index begin = 0, sequence = first_sequence_;
  if (!places_.defined()) return draw_bits(drawn, own, static_cast<std::uint64_t>(sequence * width), drawn);
  for (const Index length : lengths_) {
    const Tensor part = drawn.rows(begin, begin + length);
    draw_bits(part, own, static_cast<std::uint64_t>(sequence++ * width), part);
    begin += length;
  }
}

void multiply_by_weight(const Tensor& weight, int from, double alpha, const Tensor& x, double beta,
                        const Tensor& y) {
  GemmCall call{.dtype = weight.dtype(), .transpose_b = from == 1, .m = x.dim(0), .alpha = alpha};
  call.k = weight.dim(from);
  call.n = weight.dim(1 - from);
  call.a = x.data();
  call.lda = call.k;
  call.b = weight.data();
  call.ldb = weight.dim(1);
  call.beta = beta;
  call.c = y.data();
  call.ldc = call.n;
  backend(weight.device()).gemm(call);
}

void draw_bits(const Tensor& input, Key key, std::uint64_t first, const Tensor& drawn, double scale) {
  const Tensor none = Tensor::zeros({input.dim(1)}, input.placement());
  UnitCall call{.dtype = input.dtype(), .unit = Unit::Binary, .rows = input.dim(0), .units = input.dim(1)};
  call.input = input.data();
  call.bias = none.data();
  call.scale = scale;
  call.key = key.bits();
  call.first_draw = first;
  call.sample = drawn.data();
  backend(input.device()).units(call);
}

}  // namespace basin
