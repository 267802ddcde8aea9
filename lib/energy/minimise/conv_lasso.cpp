#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "autograd/ops.h"
#include "energy/minimise/conv_lipschitz.h"
#include "energy/minimise/rule.h"
#include "modules/images/conv2d.h"
#include "tensor/error.h"
#include "tensor/solvers.h"

namespace basin {
namespace {

constexpr double kTiny = 1e-30;
constexpr Index kLeastWidth = 16;  // of an image, for whole vectors

/// The decoder as a convolution from z to images of its shape; null where it is none.
const ConvTranspose2d* convolution(const Lasso::Term& decoding, const Variable& z) {
  const auto* decoder = dynamic_cast<const ConvTranspose2d*>(decoding.module);
  if (decoder == nullptr) return nullptr;
  const Variable& y = decoding.other;
  const Shape& w = decoder->weight().tensor().shape();
  const ConvOptions& options = decoder->options();
  constexpr std::array<Index, 2> kOne{1, 1};
  if (options.stride != kOne || options.dilation != kOne || options.groups != 1) return nullptr;
  const auto padding = decoder->padding();
  if (z.shape.size() != 3 || y.shape.size() != 3 || z.shape[0] != w[0] || padding[0] >= w[2] ||
      padding[1] >= w[3])
    return nullptr;
  const Shape image{w[1], z.shape[1] + w[2] - 1 - 2 * padding[0], z.shape[2] + w[3] - 1 - 2 * padding[1]};
  return image == y.shape && image[2] >= kLeastWidth ? decoder : nullptr;
}

/// The solver's iterations of one batch, and the sums of each image as last measured.
class ConvLassoMover final : public Mover {
 public:
  ConvLassoMover(Solvers& kernels, const Lasso& lasso, const ConvTranspose2d& decoder, const Variable& z,
                 const ProximalScheme& scheme, const Start& start)
      : z_(Tensor(start.state[z].shape(), start.state[z].placement())),
        filters_(decoder.weight().tensor()),
        moving_(static_cast<std::size_t>(z_.dim(0))),
        sums_(moving_.size()) {
    std::iota(moving_.begin(), moving_.end(), Index{0});
    Value y = start.state[lasso.decoders[0].other].detached();
    if (const auto& bias = decoder.bias())
      y = (y - reshape(bias->value(), {bias->tensor().size(), 1, 1})).detached();
    y_ = y.tensor();
    const Shape& w = filters_.shape();
    problem_ = ConvLassoProblem{.dtype = y_.dtype(),
                                .images = z_.dim(0),
                                .channels = w[1],
                                .filters = w[0],
                                .height = z.shape[1],
                                .width = z.shape[2],
                                .filter_height = w[2],
                                .filter_width = w[3],
                                .padding_y = decoder.padding()[0],
                                .padding_x = decoder.padding()[1],
                                .weight = lasso.decoders[0].weight,
                                .lambda = lasso.lambda,
                                .non_negative = z.domain == Domain::NonNegative,
                                .accelerate = scheme.accelerate,
                                .restart = scheme.restart,
                                .w = filters_.data(),
                                .y = y_.data(),
                                .start = start.owned ? nullptr : start.state[z].tensor().data()};
    Tensor prediction;
    for (const Lasso::Term& guess : lasso.predictions) {
      prediction = guess.module->forward(start.state[guess.other]).tensor();
      problem_.target = prediction.data();
      problem_.attraction = guess.weight;
    }
    problem_.step = scheme.step ? *scheme.step : lipschitz_step(z);
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
  double lipschitz_step(const Variable& z) const {
    const double bound = problem_.weight * conv_lipschitz(filters_) + problem_.attraction;
    if (bound > 0.0 && std::isfinite(bound)) return 1.0 / bound;
    throw Error(
        fmt::format("[infer] expected filters of {} that are finite and not all zero, received a Lipschitz "
                    "constant of {}; check the dictionary",
                    z.name, bound));
  }

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

}  // namespace

std::optional<InferenceRule> conv_lasso_rule(const Inference& inference) {
  Solvers* kernels = solvers(inference.placement.device);
  const Variable& z = inference.split.variable();
  const std::optional<ProximalScheme> scheme = inference.scheme();
  if (!scheme || kernels == nullptr) return std::nullopt;
  const std::optional<Lasso> lasso = recognise_lasso(inference.split);
  if (!lasso || lasso->decoders.size() != 1 || lasso->predictions.size() > 1) return std::nullopt;
  const ConvTranspose2d* decoder = convolution(lasso->decoders[0], z);
  if (decoder == nullptr || decoder->weight().tensor().placement() != inference.placement)
    return std::nullopt;
  return InferenceRule{"convolutional_lasso", {}, [=, lasso = *lasso, scheme = *scheme](const Start& start) {
                         return std::make_unique<ConvLassoMover>(*kernels, lasso, *decoder, z, scheme, start);
                       }};
}

}  // namespace basin
