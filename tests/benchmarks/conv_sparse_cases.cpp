#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "benchmarks/cases.h"
#include "benchmarks/product.h"
#include "energy/minimise/conv_lipschitz.h"
#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "models/conv_sparse_coding.h"
#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin::benchmarks {
namespace {

constexpr Index kFilters = 64, kExtent = 9, kTaps = kExtent * kExtent;
constexpr double kLambda = 0.1;

// Moves from codes of zeros. They begin dense and grow sparse, and the more so the more moves there are.
constexpr Index kSteps = 50;

// The derived path adds up in another order.
constexpr double kEqual = 1e-4;

/// The two products of a move as products of matrices: a row of places x taps for each place of the image,
/// and its transpose. A block of places that stays in cache stands for all.
class Products {
 public:
  explicit Products(Index places)
      : blocks_(places / kPlaces),
        codes_(Tensor::full({kPlaces, kFilters}, 0.5)),
        filters_(Tensor::full({kFilters, kTaps}, 0.5)),
        windows_(Tensor::zeros({kPlaces, kTaps})) {}

  void move() const {
    for (Index i = 0; i < blocks_; ++i) {
      multiply(codes_, false, filters_, false, windows_, {1e-2});
      multiply(windows_, false, filters_, true, codes_, {1e-2});
    }
  }

 private:
  static constexpr Index kPlaces = 1024;

  Index blocks_;
  Tensor codes_, filters_, windows_;
};

/// max |a - b| / max |b|.
double difference(const Value& a, const Value& b) {
  const auto largest = [](const Value& x) { return max(reshape(abs(x), {x.tensor().size()}), 0).item(); };
  return largest(a - b) / largest(b);
}

double share_active(const Value& z) { return mean(step(abs(z))).item(); }

void encode(const std::string& name, const Tensor& filters, const Tensor& images, Fuse fuse,
            const Arguments& arguments) {
  const Index size = images.dim(2);
  const ConvSparseCoding model = conv_sparse_coding({.image_shape = {1, size, size},
                                                     .filters = kFilters,
                                                     .filter = {kExtent, kExtent},
                                                     .lambda = kLambda,
                                                     .key = Key(1)});
  model.decoder->weight().tensor().copy_from(filters);
  // As the peers: no restarts, and the Lipschitz constant known beforehand.
  const Fista fista(model.z, {.step = 1.0 / conv_lipschitz(filters), .restart = false});
  const State clamped = State().set(model.y, images);
  const auto run = [&](Fuse how) {
    return infer(model.graph, model.z, fista, clamped,
                 {.max_steps = kSteps, .stop = Stop::Never, .fuse = how}, Key(1))
        .state;
  };
  const Products products(images.dim(0) * size * size);
  State codes;
  measure(
      name, "iterations/s", kSteps, [&] { codes = run(fuse); },
      [&] {
        for (Index i = 0; i < kSteps; ++i) products.move();
      },
      arguments);
  const double apart = fuse == Fuse::Off ? difference(codes[model.z], run(Fuse::Auto)[model.z]) : 0.0;
  if (!arguments.json) {
    fmt::print("  energy {:.8g} an image, {:.3g} % of the codes active after {} iterations\n",
               mean(model.graph.energy(codes)).item(), 100.0 * share_active(codes[model.z]), kSteps);
  }
  if (!(apart <= kEqual)) {
    throw Error(fmt::format("[basin_cases] {}: expected codes within {} of the fused ones, received {:.3g}",
                            name, kEqual, apart));
  }
}

}  // namespace

void conv_sparse(const Arguments& arguments) {
  struct Problem {
    Index size, images;
  };
  for (const bool derived : {false, true}) {
    const std::string prefix = derived ? "derived_" : "";
    for (const Problem problem : {Problem{64, 1}, Problem{64, 16}, Problem{128, 1}, Problem{256, 1}}) {
      const std::string name = fmt::format("{}conv_fista_{}f{}x{}_{}px_b{}", prefix, kFilters, kExtent,
                                           kExtent, problem.size, problem.images);
      if (!arguments.wants(prefix + "conv_sparse") && !arguments.wants(name)) continue;
      if (!arguments.has_data("conv_sparse")) return;
      const Tensor filters = load(arguments, "filters.f32", {kFilters, 1, kExtent, kExtent});
      const Tensor images = load(arguments, fmt::format("images_{}.f32", problem.size),
                                 {problem.size == 64 ? 16 : 1, 1, problem.size, problem.size});
      encode(name, filters, images.rows(0, problem.images), derived ? Fuse::Off : Fuse::Auto, arguments);
    }
  }
}

}  // namespace basin::benchmarks
