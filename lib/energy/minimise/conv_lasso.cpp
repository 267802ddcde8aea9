#include "energy/minimise/conv_lasso.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "autograd/ops.h"
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

/// The solver's iterations of one batch, and the sums of each image as last measured.
class ConvLassoMover final : public Mover {
 public:
  ConvLassoMover(Solvers& kernels, const ConvLasso& pattern, const ProximalScheme& scheme, double step,
                 const Start& start)
      : z_(Tensor(start.state[pattern.z].shape(), start.state[pattern.z].placement())),
        filters_(pattern.decoder->weight().tensor()),
        moving_(static_cast<std::size_t>(z_.dim(0))),
        sums_(moving_.size()) {
    std::iota(moving_.begin(), moving_.end(), Index{0});
    Value y = start.state[pattern.y].detached();
    if (const auto& bias = pattern.decoder->bias())
      y = (y - reshape(bias->value(), {bias->tensor().size(), 1, 1})).detached();
    y_ = y.tensor();
    Tensor prediction;
    if (pattern.prediction != nullptr) {
      const Variable& source = pattern.prediction->source();
      prediction = pattern.prediction->module().forward(start.state[source]).tensor();
    }
    const Shape& w = filters_.shape();
    problem_ = ConvLassoProblem{.dtype = y_.dtype(),
                                .images = z_.dim(0),
                                .channels = w[1],
                                .filters = w[0],
                                .height = pattern.z.shape[1],
                                .width = pattern.z.shape[2],
                                .filter_height = w[2],
                                .filter_width = w[3],
                                .padding_y = pattern.decoder->padding()[0],
                                .padding_x = pattern.decoder->padding()[1],
                                .weight = pattern.weight,
                                .attraction = pattern.attraction,
                                .lambda = pattern.lambda,
                                .step = step,
                                .non_negative = pattern.z.domain == Domain::NonNegative,
                                .accelerate = scheme.accelerate,
                                .restart = scheme.restart,
                                .w = filters_.data(),
                                .y = y_.data(),
                                .target = prediction.defined() ? prediction.data() : nullptr,
                                .start = start.owned ? nullptr : start.state[pattern.z].tensor().data()};
    const auto floats = static_cast<Index>((kernels.conv_lasso_room(problem_) + 3) / 4);
    room_ = Tensor({floats}, {Dtype::F32, y_.device()});
    solver_ = kernels.conv_lasso(problem_, room_.data());
  }

  void move(Index) override { solver_->move(moving_); }

  void keep(const std::vector<Index>& moving) override {
    for (const Index image : moving_) {
      if (!std::binary_search(moving.begin(), moving.end(), image)) read(image);
    }
    moving_ = moving;
  }

  GapTerms gap_terms() override {
    measured([&](std::span<ConvLassoSums> sums) { solver_->measure(moving_, sums); });
    const ConvLassoProblem& p = problem_;
    return {each([&](const auto& s) { return 0.5 * (p.weight * s.residual + p.attraction * s.deviation); }),
            each([&](const auto& s) { return p.lambda * s.norm; }),
            each([&](const auto& s) { return p.attraction * s.along - p.weight * s.product; }),
            each([&](const auto& s) { return p.lambda / (s.largest + kTiny); })};
  }

  StepTerms step_terms() override {
    measured([&](std::span<ConvLassoSums> sums) { solver_->steps(moving_, sums); });
    return {each([](const auto& s) { return s.move; }), each([](const auto& s) { return s.length; })};
  }

  Tensor codes() override {
    for (const Index image : moving_) read(image);
    return z_;
  }

 private:
  void read(Index image) { solver_->read(image, z_.rows(image, image + 1).data()); }

  template <class Fill>
  void measured(Fill fill) {
    std::vector<ConvLassoSums> now(moving_.size());
    fill(now);
    for (std::size_t i = 0; i < now.size(); ++i) sums_[static_cast<std::size_t>(moving_[i])] = now[i];
  }

  template <class Number>
  Value each(Number number) const {
    std::vector<double> values;
    for (const ConvLassoSums& sums : sums_) values.push_back(number(sums));
    return Tensor::from(values, {z_.dim(0)}, {Dtype::F64, Device::Cpu});
  }

  Tensor z_, filters_, y_, room_;
  std::vector<Index> moving_;
  std::vector<ConvLassoSums> sums_;  // of all images
  ConvLassoProblem problem_;
  std::unique_ptr<ConvLassoSolver> solver_;
};

double step_of(const ConvLasso& pattern, const ProximalScheme& scheme) {
  if (scheme.step) return *scheme.step;
  const double bound =
      pattern.weight * conv_lipschitz(pattern.decoder->weight().tensor()) + pattern.attraction;
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

std::optional<ConvLasso> recognise_conv_lasso(const Split& split) {
  const Variable& z = split.variable();
  const std::optional<double> lambda = split.l1_weight();
  const std::vector<TermOf<SquaredError>> errors = split.smooth().factors<SquaredError>();
  if (!lambda || errors.size() != split.smooth().terms().size()) return std::nullopt;
  ConvLasso found;
  found.z = z;
  found.lambda = *lambda;
  for (const auto& [error, term_weight] : errors) {
    if (term_weight < 0.0) return std::nullopt;
    if (error->target() == z) {
      if (found.prediction != nullptr || error->source() == z) return std::nullopt;
      found.prediction = error;
      found.attraction = term_weight * error->weight();
      continue;
    }
    const auto* decoder = dynamic_cast<const ConvTranspose2d*>(&error->module());
    if (found.decoding != nullptr || decoder == nullptr || !decodes(*decoder, z, error->target()))
      return std::nullopt;
    found.decoding = error;
    found.decoder = decoder;
    found.y = error->target();
    found.weight = term_weight * error->weight();
  }
  return found.decoding != nullptr ? std::optional(found) : std::nullopt;
}

std::optional<InferenceRule> conv_lasso_rule(const Inference& inference) {
  Solvers* kernels = solvers(inference.placement.device);
  const std::optional<ProximalScheme> scheme = inference.scheme();
  if (!scheme || kernels == nullptr) return std::nullopt;
  const std::optional<ConvLasso> pattern = recognise_conv_lasso(inference.split);
  if (!pattern || pattern->decoder->weight().tensor().placement() != inference.placement) return std::nullopt;
  return InferenceRule{
      "convolutional_lasso", {}, [pattern = *pattern, scheme = *scheme, kernels](const Start& start) {
        return std::make_unique<ConvLassoMover>(*kernels, pattern, scheme, step_of(pattern, scheme), start);
      }};
}

}  // namespace basin
