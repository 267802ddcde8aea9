#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "autograd/ops.h"
#include "benchmarks/cases.h"
#include "benchmarks/product.h"
#include "energy/minimise/dictionary.h"
#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "energy/objectives/latents/latent_minimum.h"
#include "models/sparse_coding.h"
#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin::benchmarks {
namespace {

constexpr Index kPixels = 144, kAtoms = 256, kPatches = 10000, kBatch = 256;
constexpr double kLambda = 0.2;

// scikit-learn's coordinate descent stops at a duality gap of 1e-4 |y|^2 or after 100 passes over the codes,
// whichever comes first. The energy is at most 1/2 |y|^2 (codes of zeros), so that a relative gap of 2e-4 is
// nowhere the wider one.
constexpr double kTolerance = 2e-4;

/// The products of a pass over patches alone: D D', Y D', Z'Z, Z'Y and A D of every batch.
class Products {
 public:
  Products()
      : y_(full({kBatch, kPixels})),
        z_(full({kBatch, kAtoms})),
        d_(full({kAtoms, kPixels})),
        square_(full({kAtoms, kAtoms})) {}

  void pass(Index patches) const {
    for (Index i = 0; i < patches / kBatch; ++i) {
      multiply(d_, false, d_, true, square_, {1e-3});
      multiply(y_, false, d_, true, z_out_, {1e-3});
      multiply(z_, true, z_, false, square_, {1e-3});
      multiply(z_, true, y_, false, d_out_, {1e-3});
      multiply(square_, false, d_, false, d_out_, {1e-3});
    }
  }

 private:
  static Tensor full(Shape shape) { return Tensor::full(std::move(shape), 0.5); }

  Tensor y_, z_, d_, square_, z_out_ = full({kBatch, kAtoms}), d_out_ = full({kAtoms, kPixels});
};

/// A dictionary of the first patches, then one pass over all patches; the last batch is a short one.
SparseCoding learn(const Tensor& patches, Fuse fuse) {
  const SparseCoding model =
      sparse_coding({.sample_shape = {kPixels}, .atoms = kAtoms, .lambda = kLambda, .key = Key(1)});
  const Tensor& atoms = model.decoder->weight().tensor();
  atoms.copy_from(patches.rows(0, kAtoms));
  scale_to_unit_norm(atoms);
  const LatentMinimum online(
      model.z, std::make_shared<const CoordinateDescent>(model.z),
      {.infer = {.max_steps = 100000, .tolerance = kTolerance, .fuse = fuse},
       .unit_norm = {"z.y.weight"},
       .online = OnlineDictionary{.dictionary = "z.y.weight",
                                  .forget = 1.0}});  // as scikit-learn weighs its batches
  Carry carry;
  for (Index first = 0; first < patches.dim(0); first += kBatch) {
    const State batch = State().set(model.y, patches.rows(first, std::min(first + kBatch, patches.dim(0))));
    const Key key = Key(2).fold(static_cast<std::uint64_t>(first));
    online.evaluate(model.graph, batch, carry, key, {.metrics = false});
    online.finish_step(model.graph, batch, carry, key);
  }
  return model;
}

/// mean_n min_z E(y_n, z).
double loss(const SparseCoding& model, const Tensor& patches) {
  const State clamped = State().set(model.y, patches);
  return mean(model.graph.energy(infer(model.graph, model.z, CoordinateDescent(model.z), clamped,
                                       {.max_steps = 100000, .tolerance = 1e-5}, Key(3))
                                     .state))
      .item();
}

}  // namespace

void dict_learn(const Arguments& arguments) {
  // The derived path takes its time: a few batches, and so patches/s.
  constexpr Index kDerived = 2 * kBatch;
  for (const bool derived : {false, true}) {
    const std::string name = fmt::format("{}dict_learn_{}x{}_lam{}_b{}", derived ? "derived_" : "", kPixels,
                                         kAtoms, kLambda, kBatch);
    if (!arguments.wants(name)) continue;
    if (!arguments.has_data("dict_learn")) return;
    const Tensor all = load(arguments, "patches.f32", {kPatches, kPixels}),
                 patches = derived ? all.rows(0, kDerived) : all;
    const Products products;
    std::optional<SparseCoding> model;
    measure(
        name, derived ? "patches/s" : "s/epoch", derived ? static_cast<double>(kDerived) : 0.0,
        [&] { model = learn(patches, derived ? Fuse::Off : Fuse::Auto); },
        [&] { products.pass(patches.dim(0)); }, arguments);
    if (!arguments.json) fmt::print("  mean energy of a patch {:.6g}\n", loss(*model, all));
  }
}

}  // namespace basin::benchmarks
