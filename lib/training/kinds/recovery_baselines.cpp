#include "training/kinds/recovery_baselines.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"

namespace basin {
namespace {

bool is_asked(const std::vector<Index>& depths, Index depth) {
  return std::find(depths.begin(), depths.end(), depth) != depths.end();
}

}  // namespace

double nmse_db(const Value& code, const Value& x) {
  return 10.0 * std::log10(sum(square(flatten(code) - flatten(x))).item() / sum(square(x)).item());
}

std::vector<double> nmse_of_iterations(const FactorGraph& graph, const Transition& transition,
                                       const Variable& y, const Variable& z,
                                       const SparseSignals::Batch& batch, const std::vector<Index>& depths) {
  std::vector<double> errors;
  State state = State().set(y, batch.y).set(z, Tensor::zeros(batch.x.shape(), batch.x.placement()));
  for (Index iteration = 1; iteration <= depths.back(); ++iteration) {
    state = transition(graph, state, Key(0).fold("baseline").fold(static_cast<std::uint64_t>(iteration)));
    state.set(z, state[z].detached());
    if (is_asked(depths, iteration)) errors.push_back(nmse_db(state[z], batch.x));
  }
  return errors;
}

std::vector<double> nmse_of_network(const Unrolled& net, const SparseSignals::Batch& batch,
                                    const std::vector<Index>& depths) {
  constexpr Index kSamples = 100;
  const Value y = batch.y, x = batch.x;
  std::vector<double> errors(depths.size(), 0.0);
  for (Index begin = 0; begin < x.dim(0); begin += kSamples) {
    const Index end = std::min(begin + kSamples, x.dim(0));
    const Value target = slice(x, 0, begin, end);
    const std::vector<Value> codes = net.codes(slice(y, 0, begin, end));
    for (std::size_t i = 0; i < depths.size(); ++i) {
      errors[i] += sum(square(flatten(codes[static_cast<std::size_t>(depths[i] - 1)]) - target)).item();
    }
  }
  const double power = sum(square(x)).item();
  for (double& error : errors) error = 10.0 * std::log10(error / power);
  return errors;
}

std::vector<double> nmse_of_message_passing(const SparseSignals& signals, const SparseSignals::Batch& batch,
                                            double alpha, const std::vector<Index>& depths) {
  const Value atoms = signals.dictionary().to(batch.y.placement());  // [n, m]
  const auto m = static_cast<double>(batch.y.dim(1));
  const Value y = batch.y;
  Value z = Tensor::zeros(batch.x.shape(), batch.x.placement()), residual = y;
  std::vector<double> errors;
  for (Index iteration = 1; iteration <= depths.back(); ++iteration) {
    const Value threshold = sqrt(sum(square(residual), {1}, {.keep = true}) / m) * alpha;
    z = shrink(z + matmul(residual, atoms, {.transpose_b = true}), threshold);
    const Value onsager = sum(square(sign(z)), {1}, {.keep = true}) / m;
    residual = y - matmul(z, atoms) + residual * onsager;
    if (is_asked(depths, iteration)) errors.push_back(nmse_db(z, batch.x));
  }
  return errors;
}

}  // namespace basin
