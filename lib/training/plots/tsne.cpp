#include "training/plots/tsne.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/distances.h"
#include "training/measures/code_space.h"

namespace basin {
namespace {

constexpr int kHalvings = 60;

/// p_.|i of squared distances, by bisection on log b; the entry of i itself becomes 0.
void conditional_of(std::span<double> row, std::size_t self, double perplexity) {
  double least = std::numeric_limits<double>::infinity(), mean = 0.0;
  for (std::size_t j = 0; j < row.size(); ++j) {
    if (j == self) continue;
    least = std::min(least, row[j]);
    mean += row[j];
  }
  mean = mean / static_cast<double>(row.size() - 1) - least;
  std::vector<double> p(row.size(), 0.0);
  double low = -40.0, high = 40.0;  // of log(b * mean)
  for (int halving = 0; halving < kHalvings && mean > 0.0; ++halving) {
    const double middle = 0.5 * (low + high), b = std::exp(middle) / mean;
    double total = 0.0, moment = 0.0;
    for (std::size_t j = 0; j < row.size(); ++j) {
      p[j] = j == self ? 0.0 : std::exp(-b * (row[j] - least));
      total += p[j];
      moment += p[j] * (row[j] - least);
    }
    const double entropy = std::log(total) + b * moment / total;
    (entropy > std::log(perplexity) ? low : high) = middle;
    for (double& each : p) each /= total;
  }
  if (mean <= 0.0) {  // all are equally near
    std::ranges::fill(p, 1.0 / static_cast<double>(row.size() - 1));
    p[self] = 0.0;
  }
  std::ranges::copy(p, row.begin());
}

/// One step of descent: gains grow where the gradient keeps its sign.
class Descent {
 public:
  Descent(std::size_t count, double rate) : update_(count, 0.0), gain_(count, 1.0), rate_(rate) {}

  void step(std::vector<double>& positions, const std::vector<double>& gradient, double momentum) {
    for (std::size_t i = 0; i < positions.size(); ++i) {
      gain_[i] = update_[i] * gradient[i] < 0.0 ? gain_[i] + 0.2 : std::max(0.8 * gain_[i], 0.01);
      update_[i] = momentum * update_[i] - rate_ * gain_[i] * gradient[i];
      positions[i] += update_[i];
    }
  }

 private:
  std::vector<double> update_, gain_;
  double rate_;
};

}  // namespace

Tensor neighbour_probabilities(const Tensor& rows, double perplexity) {
  constexpr Index kFewest = 5;
  const Index count = rows.dim(0);
  if (count < kFewest) {
    throw Error(fmt::format("[tsne] expected at least {} rows, received {}", kFewest, count));
  }
  if (!(perplexity > 1.0 && perplexity < static_cast<double>(count - 1))) {
    throw Error(fmt::format("[tsne] expected a perplexity between 1 and {} of {} rows, received {}",
                            count - 1, count, perplexity));
  }
  const auto n = static_cast<std::size_t>(count);
  std::vector<double> p = distances_in_f64(rows, rows).values();
  for (std::size_t i = 0; i < n; ++i) conditional_of(std::span(p).subspan(i * n, n), i, perplexity);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j)
      p[i * n + j] = p[j * n + i] = (p[i * n + j] + p[j * n + i]) / (2.0 * static_cast<double>(n));
  }
  return Tensor::from(p, {count, count}, {Dtype::F32, Device::Cpu});
}

Value neighbour_energy(const Value& positions, const Value& probabilities) {
  const Value near = 1.0 + squared_distances(positions, positions);
  const auto count = static_cast<double>(positions.dim(0));  // of the pairs i, i
  return sum(probabilities * log(near)) + log(sum(reciprocal(near)) - count);
}

Tensor tsne(const Tensor& rows, Key key, const TsneOptions& options) {
  const Index count = rows.dim(0);
  const double perplexity = std::min(options.perplexity, static_cast<double>(count - 1) / 3.0);
  const Value p(neighbour_probabilities(rows, perplexity));
  std::vector<double> positions = (1e-4 * Value(normal(key, {count, 2}))).tensor().values();
  Descent descent(positions.size(), static_cast<double>(count) / 48.0);
  for (Index step = 0; step < options.steps; ++step) {
    const bool exaggerates = step < options.exaggerated;
    const Value y = Value::leaf(Tensor::from(positions, {count, 2}, {Dtype::F32, Device::Cpu}));
    const Value energy = neighbour_energy(y, exaggerates ? options.exaggeration * p : p);
    descent.step(positions, grad(energy, {y})[0].tensor().values(), exaggerates ? 0.5 : 0.8);
  }
  return Tensor::from(positions, {count, 2}, {Dtype::F32, Device::Cpu});
}

}  // namespace basin
