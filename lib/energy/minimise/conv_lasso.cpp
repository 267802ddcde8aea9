#include "energy/minimise/conv_lasso.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "energy/factors/l1.h"
#include "energy/minimise/gradient_scheme.h"
#include "tensor/error.h"
#include "tensor/solvers.h"

namespace basin {
namespace {

constexpr double kTiny = 1e-30;
constexpr Index kLeastWidth = 16;  // of an image, for whole vectors

/// True when the module decodes z to images of the shape of y.
bool decodes(const ConvTranspose2d& decoder, const Variable& z, const Variable& y) {
  const Shape& w = decoder.weight().tensor().shape();
  const auto padding = decoder.padding();
  if (z.shape.size() != 3 || y.shape.size() != 3 || z.shape[0] != w[0] || padding[0] >= w[2] ||
      padding[1] >= w[3])
    return false;
  const Shape image{w[1], z.shape[1] + w[2] - 1 - 2 * padding[0], z.shape[2] + w[3] - 1 - 2 * padding[1]};
  return image == y.shape && image[2] >= kLeastWidth;
}

/// The solver of one batch, and the momentum of each image.
class Moves {
 public:
  Moves(Solvers& table, const ConvLasso& pattern, const Tensor& y, const Value& prediction,
        const Value& start, double step)
      : filters_(pattern.decoder().weight().tensor()), y_(y), t_(static_cast<std::size_t>(y.dim(0)), 1.0) {
    const Shape& w = filters_.shape();
    problem_.dtype = y.dtype();
    problem_.images = y.dim(0);
    problem_.channels = w[1];
    problem_.filters = w[0];
    problem_.height = pattern.z.shape[1];
    problem_.width = pattern.z.shape[2];
    problem_.filter_height = w[2];
    problem_.filter_width = w[3];
    problem_.padding_y = pattern.decoder().padding()[0];
    problem_.padding_x = pattern.decoder().padding()[1];
    problem_.weight = pattern.weight;
    problem_.attraction = pattern.attraction;
    problem_.lambda = pattern.lambda;
    problem_.step = step;
    problem_.non_negative = pattern.z.domain == Domain::NonNegative;
    problem_.w = filters_.data();
    problem_.y = y_.data();
    problem_.target = prediction.defined() ? prediction.tensor().data() : nullptr;
    problem_.start = start.defined() ? start.tensor().data() : nullptr;
    const auto room = static_cast<Index>(table.conv_lasso_room(problem_));
    room_ = Tensor({(room + 3) / 4}, {Dtype::F32, y.device()});
    solver_ = table.conv_lasso(problem_, room_.data());
  }

  /// One move of the images `which`; with `restart` and `accelerate` as Fista, else as Ista. Sums in their
  /// order.
  const std::vector<ConvLassoSums>& move(const std::vector<Index>& which, bool accelerate, bool restart) {
    std::vector<double> momentum(which.size(), 0.0), next(which.size(), 1.0);
    for (std::size_t i = 0; i < which.size() && accelerate && moved_; ++i) {
      const double t = t_[static_cast<std::size_t>(which[i])];
      next[i] = (1.0 + std::sqrt(1.0 + 4.0 * t * t)) * 0.5;
      momentum[i] = (t - 1.0) / next[i];
    }
    sums_.resize(which.size());
    solver_->move(which, momentum, sums_);
    moved_ = true;
    for (std::size_t i = 0; i < which.size(); ++i) {
      t_[static_cast<std::size_t>(which[i])] = restart && sums_[i].uphill > 0.0 ? 1.0 : next[i];
    }
    return sums_;
  }

  /// Relative duality gaps of the images `which`, as relative_duality_gap() has them.
  std::vector<double> gaps(const std::vector<Index>& which) {
    sums_.resize(which.size());
    solver_->measure(which, sums_);
    std::vector<double> result;
    for (const ConvLassoSums& sums : sums_) {
      const double f = 0.5 * (problem_.weight * sums.residual + problem_.attraction * sums.deviation),
                   r = problem_.lambda * sums.norm;
      const double product = problem_.attraction * sums.along - problem_.weight * sums.product;
      const double best = 1.0 - product / (2.0 * f + kTiny),
                   feasible = problem_.lambda / (sums.largest + kTiny);
      const double s = std::max(0.0, std::min(best, feasible));
      const double gap = (1.0 - s) * (1.0 - s) * f + r + s * product;
      result.push_back(std::isfinite(gap) ? std::max(0.0, gap) / (std::abs(f + r) + kTiny)
                                          : std::numeric_limits<double>::quiet_NaN());
    }
    return result;
  }

  /// Copies the codes of one image to z[image] of [N, K, H, W].
  void read(Index image, const Tensor& z) const { solver_->read(image, z.rows(image, image + 1).data()); }

 private:
  ConvLassoProblem problem_;
  Tensor filters_, y_, room_;
  std::unique_ptr<ConvLassoSolver> solver_;
  std::vector<double> t_;
  std::vector<ConvLassoSums> sums_;
  bool moved_ = false;
};

double step_of(const ConvLasso& pattern, const ProximalScheme& options) {
  if (options.step) return *options.step;
  const double bound =
      pattern.weight * conv_lipschitz(pattern.decoder().weight().tensor()) + pattern.attraction;
  if (!(bound > 0.0) || !std::isfinite(bound)) {
    throw Error(
        fmt::format("[infer] expected filters of {} that are finite and not all zero, received a Lipschitz "
                    "constant of {}; check "
                    "the dictionary",
                    pattern.z.name, bound));
  }
  return 1.0 / bound;
}

}  // namespace

const ConvTranspose2d& ConvLasso::decoder() const {
  return dynamic_cast<const ConvTranspose2d&>(dynamic_cast<const SquaredError&>(*decoding).module());
}

std::optional<ConvLasso> recognise_conv_lasso(const Split& split) {
  const Variable& z = split.variable();
  const auto* l1 = dynamic_cast<const L1*>(split.rough().get());
  if (l1 == nullptr) return std::nullopt;
  ConvLasso found;
  found.z = z;
  found.lambda = split.rough_weight() * l1->lambda();
  for (const FactorGraph::Term& term : split.smooth().terms()) {
    const auto* error = dynamic_cast<const SquaredError*>(term.factor.get());
    if (error == nullptr || term.weight < 0.0) return std::nullopt;
    if (error->target() == z) {
      if (found.prediction != nullptr || error->source() == z) return std::nullopt;
      found.prediction = term.factor;
      found.attraction = term.weight * error->weight();
      continue;
    }
    const auto* decoder = dynamic_cast<const ConvTranspose2d*>(&error->module());
    if (found.decoding != nullptr || decoder == nullptr || !decodes(*decoder, z, error->target()))
      return std::nullopt;
    found.decoding = term.factor;
    found.y = error->target();
    found.weight = term.weight * error->weight();
  }
  return found.decoding != nullptr ? std::optional(found) : std::nullopt;
}

std::optional<Solution> solve_conv_lasso(const Inference& inference) {
  const std::optional<ConvLasso> pattern = recognise_conv_lasso(inference.split);
  if (!pattern) return std::nullopt;
  const Variable& z = pattern->z;
  const State& state = inference.state;
  const std::optional<ProximalScheme> scheme = gradient_scheme(inference.transition, z);
  const ConvTranspose2d& decoder = pattern->decoder();
  const Placement placement = decoder.weight().tensor().placement();
  Solvers* table = solvers(placement.device);
  if (!scheme || table == nullptr || state[pattern->y].placement() != placement ||
      state[z].placement() != placement)
    return std::nullopt;

  Value y = state[pattern->y].detached();
  const Index samples = y.dim(0);
  if (decoder.bias())
    y = (y - reshape(decoder.bias()->value(), {decoder.bias()->tensor().size(), 1, 1})).detached();
  Value prediction;
  if (pattern->prediction != nullptr) {
    const auto& error = dynamic_cast<const SquaredError&>(*pattern->prediction);
    prediction = reshape(error.module().forward(state[error.source()]).detached(),
                         {samples, z.shape[0], z.shape[1], z.shape[2]});
    if (prediction.placement() != placement) return std::nullopt;
  }
  Moves moves(*table, *pattern, y.tensor(), prediction, inference.owned ? Value() : state[z].detached(),
              step_of(*pattern, *scheme));

  const Tensor codes({samples, z.shape[0], z.shape[1], z.shape[2]}, placement);
  std::vector<double> measures(static_cast<std::size_t>(samples), std::numeric_limits<double>::infinity()),
      steps(measures.size(), 0.0);
  std::vector<double> lengths_so_far(measures.size(),
                                     0.0);  // the largest |z| on each image's way, before its last move
  std::vector<Index> moving(measures.size());
  for (std::size_t n = 0; n < moving.size(); ++n) moving[n] = static_cast<Index>(n);
  // Notes what was measured of the moving images; those that are done, or beyond hope, are read out and move
  // no more.
  const auto look = [&](const std::vector<double>& now, Index step) {
    std::vector<Index> left;
    for (std::size_t i = 0; i < moving.size(); ++i) {
      const auto n = static_cast<std::size_t>(moving[i]);
      measures[n] = now[i];
      steps[n] = static_cast<double>(step);
      if (now[i] > inference.options.tolerance || (inference.stop == Stop::Never && !std::isnan(now[i]))) {
        left.push_back(moving[i]);
      } else {
        moves.read(moving[i], codes);
      }
    }
    moving = std::move(left);
  };
  const Index max_steps = inference.options.max_steps;
  if (inference.stop == Stop::DualityGap) look(moves.gaps(moving), 0);
  for (Index i = 0; i < max_steps && !moving.empty(); ++i) {
    const std::vector<ConvLassoSums>& sums = moves.move(moving, scheme->accelerate, scheme->restart);
    const bool last = i + 1 == max_steps;
    if (inference.stop == Stop::DualityGap) {
      if (last || (i + 1) % inference.options.check_every == 0) look(moves.gaps(moving), i + 1);
    } else {
      std::vector<double> lengths;
      for (std::size_t m = 0; m < moving.size(); ++m) {
        double& largest = lengths_so_far[static_cast<std::size_t>(moving[m])];
        const double moved = std::sqrt(sums[m].move);
        largest = std::max(largest, std::sqrt(sums[m].length));
        lengths.push_back(moved == 0.0 ? 0.0 : moved / (largest > 0.0 ? largest : moved));
      }
      if (inference.stop == Stop::StepSize || last) look(lengths, i + 1);
    }
  }
  for (const Index image : moving) moves.read(image, codes);
  const Placement host{Dtype::F64, Device::Cpu};
  return Solution{codes, Tensor::from(measures, {samples}, host), Tensor::from(steps, {samples}, host),
                  "convolutional_lasso"};
}

}  // namespace basin
