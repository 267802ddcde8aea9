#include <fmt/format.h>

#include "autograd/ops.h"
#include "benchmarks/cases.h"
#include "benchmarks/product.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "modules/linear.h"
#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin::benchmarks {
namespace {

constexpr Index kPixels = 144, kAtoms = 256, kPatches = 10000;

// The peers stop where the objective summed over all patches is within 1e-3 of the optimum. A relative
// duality gap of 0.025 a patch leaves it within 8e-4, which every run checks.
constexpr double kTolerance = 0.025, kWithin = 1e-3;

struct Problem {
  Problem(const Tensor& atoms, const Tensor& patches, double lambda)
      : y(graph.real("y", {kPixels})), z(graph.real("z", {kAtoms})) {
    const Linear decoder(kAtoms, kPixels, Key(1), {.bias = false});
    decoder.weight().tensor().copy_from(atoms);
    graph.add(SquaredError(y, decoder, z)).add(L1(z, lambda));
    clamped.set(y, patches);
  }
  double objective(const State& state) const {
    return sum(graph.energy(state).tensor().to(Dtype::F64)).item();
  }

  FactorGraph graph;
  Variable y, z;
  State clamped;
};

/// D D' and Y D' alone.
void products(const Tensor& atoms, const Tensor& patches, const Tensor& gram, const Tensor& linear) {
  multiply(atoms, false, atoms, true, gram);
  multiply(patches, false, atoms, true, linear);
}

void encode(const std::string& name, const Tensor& atoms, const Tensor& patches, double lambda,
            bool coordinates, Fuse fuse, const Arguments& arguments) {
  const Problem problem(atoms, patches, lambda);
  const CoordinateDescent descent(problem.z);
  const Fista fista(problem.z);
  const Transition& transition = coordinates ? static_cast<const Transition&>(descent) : fista;
  const double best = problem.objective(infer(problem.graph, problem.z, descent, problem.clamped,
                                              {.max_steps = 100000, .tolerance = 1e-5}, Key(1))
                                            .state);
  const InferOptions options{.max_steps = 100000, .tolerance = kTolerance, .fuse = fuse};
  Inferred codes;
  const Tensor gram({kAtoms, kAtoms}), linear({patches.dim(0), kAtoms});
  measure(
      name, "patches/s", static_cast<double>(patches.dim(0)),
      [&] { codes = infer(problem.graph, problem.z, transition, problem.clamped, options, Key(1)); },
      [&] { products(atoms, patches, gram, linear); }, arguments);
  const double above = problem.objective(codes.state) / best - 1.0;
  if (!arguments.json)
    fmt::print("  objective {:.2g} above the optimum, {:.1f} steps a patch\n", above,
               mean(codes.steps).item());
  if (!(above <= kWithin)) {
    throw Error(
        fmt::format("[basin_cases] {}: expected an objective within {} of the optimum, received {:.3g}", name,
                    kWithin, above));
  }
}

}  // namespace

void sparse_encode(const Arguments& arguments) {
  Tensor atoms, patches;
  for (const double lambda : {0.1, 0.2, 0.5}) {
    for (const char* kind : {"", "fista_", "derived_"}) {
      const std::string name = fmt::format("{}sparse_encode_144x256_lam{}", kind, lambda);
      if (!arguments.wants(name)) continue;
      if (!atoms.defined()) {
        if (!arguments.has_data("sparse_encode")) return;
        atoms = load(arguments, "dictionary.f32", {kAtoms, kPixels});
        patches = load(arguments, "patches.f32", {kPatches, kPixels});
      }
      const bool derived = kind[0] == 'd';
      // The derived path takes its time; its rate does not depend on how many patches there are.
      encode(name, atoms, derived ? patches.rows(0, 1000) : patches, lambda, kind[0] == '\0',
             derived ? Fuse::Off : Fuse::Auto, arguments);
    }
  }
}

}  // namespace basin::benchmarks
