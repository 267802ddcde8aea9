#include "energy/minimise/conv_lasso.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "energy/factors/l1.h"
#include "energy/minimise/gradient_scheme.h"
#include "tensor/backend.h"
#include "tensor/error.h"

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

/// x with zeros before and behind along an axis.
Value padded(const Value& x, Index axis, Index before, Index behind) {
  const auto zeros = [&](Index extent) {
    Shape shape = x.shape();
    shape[static_cast<std::size_t>(axis)] = extent;
    return Value(Tensor::zeros(std::move(shape), x.placement()));
  };
  return concat({zeros(before), x, zeros(behind)}, axis);
}

/// The moves of one batch: the arrays that the kernel works on, and the momentum of each image.
class Moves {
 public:
  Moves(const ConvLasso& pattern, const Tensor& y, const Value& prediction, const Value& start, double step)
      : filters_(pattern.decoder().weight().tensor()), y_(y), t_(static_cast<std::size_t>(y.dim(0)), 1.0) {
    const Shape& w = filters_.shape();
    call_.dtype = y.dtype();
    call_.images = y.dim(0);
    call_.channels = w[1];
    call_.filters = w[0];
    call_.height = pattern.z.shape[1];
    call_.width = pattern.z.shape[2];
    call_.filter_height = w[2];
    call_.filter_width = w[3];
    call_.padding_y = pattern.decoder().padding()[0];
    call_.padding_x = pattern.decoder().padding()[1];
    call_.weight = pattern.weight;
    call_.attraction = pattern.attraction;
    call_.lambda = pattern.lambda;
    call_.step = step;
    call_.non_negative = pattern.z.domain == Domain::NonNegative;
    const Shape rows{call_.images, call_.height + 2 * call_.border_y(), call_.padded_filters(),
                     call_.pitch()};
    previous_ = Tensor::zeros(rows, y.placement());
    previous_image_ = Tensor::zeros(y.shape(), y.placement());
    image_ = Tensor::zeros(y.shape(), y.placement());
    occupancy_ = Tensor::zeros({call_.occupancy_floats()}, {Dtype::F32, y.device()});
    if (prediction.defined()) target_ = to_rows(prediction);
    if (!start.defined()) {
      codes_ = Tensor::zeros(rows, y.placement());
      return;
    }
    codes_ = to_rows(start);
    std::vector<Index> all(t_.size());
    for (std::size_t n = 0; n < all.size(); ++n) all[n] = static_cast<Index>(n);
    run(ConvLassoStage::Synthesis, all, {});
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
    run(ConvLassoStage::Step, which, momentum);
    std::swap(codes_, previous_);
    std::swap(image_, previous_image_);
    moved_ = true;
    for (std::size_t i = 0; i < which.size(); ++i) {
      t_[static_cast<std::size_t>(which[i])] = restart && sums_[i].uphill > 0.0 ? 1.0 : next[i];
    }
    return sums_;
  }

  /// Relative duality gaps of the images `which`, as relative_duality_gap() has them.
  std::vector<double> gaps(const std::vector<Index>& which) {
    run(ConvLassoStage::Measure, which, {});
    std::vector<double> result;
    for (const ConvLassoSums& sums : sums_) {
      const double f = 0.5 * (call_.weight * sums.residual + call_.attraction * sums.deviation),
                   r = call_.lambda * sums.norm;
      const double product = call_.attraction * sums.along - call_.weight * sums.product;
      const double best = 1.0 - product / (2.0 * f + kTiny), feasible = call_.lambda / (sums.largest + kTiny);
      const double s = std::max(0.0, std::min(best, feasible));
      const double gap = (1.0 - s) * (1.0 - s) * f + r + s * product;
      result.push_back(std::isfinite(gap) ? std::max(0.0, gap) / (std::abs(f + r) + kTiny)
                                          : std::numeric_limits<double>::quiet_NaN());
    }
    return result;
  }

  /// Copies the codes of one image to z[image] of [N, K, H, W].
  void read(Index image, const Tensor& z) const {
    const Tensor own = codes_.rows(image, image + 1);
    const Index first = call_.border_y() * call_.row_size() + call_.border_x();
    const auto* start =
        static_cast<const std::byte*>(own.data()) + static_cast<std::size_t>(first) * byte_size(own.dtype());
    backend(own.device())
        .strided_copy(own.dtype(), start, {call_.pitch(), call_.row_size(), 1},
                      z.rows(image, image + 1).data(), {call_.filters, call_.height, call_.width});
  }

 private:
  /// [N, K, H, W] in the kernel's layout.
  Tensor to_rows(const Value& z) const {
    Value rows = transpose(z.detached(), {0, 2, 1, 3});
    rows = padded(rows, 1, call_.border_y(), call_.border_y());
    rows = padded(rows, 2, 0, call_.padded_filters() - call_.filters);
    return padded(rows, 3, call_.border_x(), call_.pitch() - call_.border_x() - call_.width).tensor();
  }

  void run(ConvLassoStage stage, const std::vector<Index>& which, const std::vector<double>& momentum) {
    ConvLassoCall call = call_;
    sums_.resize(which.size());
    call.stage = stage;
    call.w = filters_.data();
    call.y = y_.data();
    call.target = target_.defined() ? target_.data() : nullptr;
    call.codes = codes_.data();
    call.previous = previous_.data();
    call.image = image_.data();
    call.previous_image = previous_image_.data();
    call.occupancy = occupancy_.data();
    call.count = static_cast<Index>(which.size());
    call.which = which.data();
    call.momentum = momentum.data();
    call.sums = sums_.data();
    backend(y_.device()).conv_lasso(call);
  }

  ConvLassoCall call_;
  Tensor filters_, y_, target_, codes_, previous_, image_, previous_image_, occupancy_;
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
  if (!scheme || state[pattern->y].placement() != placement || state[z].placement() != placement)
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
  Moves moves(*pattern, y.tensor(), prediction, inference.owned ? Value() : state[z].detached(),
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
