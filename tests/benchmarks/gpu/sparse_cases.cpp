#include <cmath>
#include <memory>

#include "benchmarks/gpu/gpu_case.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/unroll/unroll.h"
#include "energy/objectives/latents/latent_minimum.h"
#include "energy/objectives/latents/unrolled_error.h"
#include "models/conv_sparse_coding.h"
#include "modules/linear.h"
#include "tensor/random.h"
#include "training/optimizers/sgd.h"

namespace basin::benchmarks {
namespace {

struct Coding {
  Coding(const Setting& setting, double lambda)
      : y(graph.real("y", {setting.size(144, 6)})), z(graph.real("z", {setting.size(256, 8)})) {
    graph.add(SquaredError(y, Linear(z.size(), y.size(), Key(1), {.bias = false}), z)).add(L1(z, lambda));
    graph.to(setting.placement);
  }

  FactorGraph graph;
  Variable y, z;
};

/// Codes of 12 x 12 patches by 100 iterations of FISTA. An iteration on the Gram matrix: 2 m^2 of arithmetic
/// a patch; codes, the point before and the linear term read, two written.
Job fista(const Setting& setting) {
  const auto coding = std::make_shared<Coding>(setting, 0.1);
  const Index patches = setting.size(1'000'000, 20), iterations = setting.size(100, 5), n = coding->y.size(),
              m = coding->z.size();
  const State clamped = State().set(coding->y, normal(Key(2), {patches, n}, setting.placement));
  const double all = static_cast<double>(iterations), rows = static_cast<double>(patches);
  const InferOptions options{.max_steps = iterations, .stop = Stop::Never};
  return {.run = [=] { infer(coding->graph, coding->z, Fista(coding->z), clamped, options, Key(1)); },
          .alone = products(setting, {{patches, m, m}}, iterations),
          .units = rows,
          .flops = rows * (2.0 * all * static_cast<double>(m * m) + 2.0 * static_cast<double>(n * m)),
          .bytes = 4.0 * rows * (5.0 * all * static_cast<double>(m) + static_cast<double>(n))};
}

/// A step of training LISTA, 16 layers of untied matrices, by batches of 512: each layer's two products and
/// the gradients of both.
Job lista(const Setting& setting) {
  const auto coding = std::make_shared<Coding>(setting, 0.1);
  const Index rows = setting.size(512, 8), layers = setting.size(16, 3), n = coding->y.size(),
              m = coding->z.size();
  const auto net = std::make_shared<const Unrolled>(
      unroll(coding->graph, Ista(coding->z, {.step = 0.1}), coding->y, coding->z, {.steps = layers}));
  const auto graph = std::make_shared<FactorGraph>();
  const Variable source = graph->real("y", {n}), target = graph->real("z", {m});
  graph->add(SquaredError(target, net, source));
  graph->to(setting.placement);
  const auto objective =
      std::make_shared<UnrolledError>(target, net, source, UnrolledErrorOptions{.depths = {layers}});
  const State batch = State()
                          .set(source, normal(Key(2), {rows, n}, setting.placement))
                          .set(target, normal(Key(3), {rows, m}, setting.placement));
  const auto sgd = std::make_shared<Sgd>(SgdOptions{.learning_rate = 1e-4});
  const auto carry = std::make_shared<Carry>();
  const std::vector<Parameter> parameters = graph->parameters();
  const double one = 2.0 * static_cast<double>(rows * m * (m + n)), depth = static_cast<double>(layers);
  return {
      .run =
          [=] {
            sgd->step(parameters,
                      objective->evaluate(*graph, batch, *carry, Key(4), {.metrics = false}).gradients, {});
          },
      .alone =
          products(setting, {{rows, m, m}, {rows, m, n}, {rows, m, m}, {m, m, rows}, {n, m, rows}}, layers),
      .units = static_cast<double>(rows),
      .flops = depth * (2.5 * one),
      .bytes = 4.0 * depth * (3.0 * static_cast<double>(m * (m + n)) + 6.0 * static_cast<double>(rows * m))};
}

/// A step of convolutional PSD: 64 filters of 9 x 9 on 16 images of 64 x 64, 50 moves of FISTA and the
/// gradients. A move correlates twice.
Job conv_psd_step(const Setting& setting) {
  const Index images = setting.size(16, 2), side = setting.size(64, 16), filters = setting.size(64, 3),
              extent = setting.size(9, 5), moves = setting.size(50, 3);
  const auto model = std::make_shared<ConvPsd>(conv_psd({.code = {.image_shape = {1, side, side},
                                                                  .filters = filters,
                                                                  .filter = {extent, extent},
                                                                  .lambda = 0.1,
                                                                  .placement = setting.placement,
                                                                  .key = Key(1)}}));
  const auto objective = std::make_shared<LatentMinimum>(
      model->z, std::make_shared<Fista>(model->z),
      LatentMinimumOptions{.infer = {.max_steps = moves, .stop = Stop::Never}, .unit_norm = {"z.y.weight"}});
  const State batch = State().set(model->y, normal(Key(2), {images, 1, side, side}, setting.placement));
  const auto sgd = std::make_shared<Sgd>(SgdOptions{.learning_rate = 1e-3});
  const auto carry = std::make_shared<Carry>();
  const std::vector<Parameter> parameters = model->graph.parameters();
  const double places = static_cast<double>(images * side * side),
               taps = static_cast<double>(filters * extent * extent);
  return {.run =
              [=] {
                sgd->step(
                    parameters,
                    objective->evaluate(model->graph, batch, *carry, Key(3), {.metrics = false}).gradients,
                    {});
                objective->finish_step(model->graph, batch, *carry, Key(4), {});
              },
          .units = static_cast<double>(images),
          .flops = 4.0 * places * taps * static_cast<double>(moves + 2),
          .bytes = 4.0 * 5.0 * places * static_cast<double>(filters * (moves + 2))};
}

}  // namespace

std::vector<Case> sparse_cases() {
  return {{.part = "sparse",
           .name = "fista_144x256_n1000000_i100",
           .unit = "patches/s",
           .over_compiled = 1.3,
           .share = 0.7,
           .make = fista},
          {.part = "sparse",
           .name = "lista_144x256_l16_b512",
           .unit = "samples/s",
           .over_eager = 2.0,
           .make = lista},
          {.part = "sparse",
           .name = "conv_psd_64f9x9_64px_b16",
           .unit = "images/s",
           .over_compiled = 1.3,
           .share = 0.7,
           .make = conv_psd_step}};
}

}  // namespace basin::benchmarks
