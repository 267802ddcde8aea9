#pragma once

#include <concepts>
#include <memory>
#include <utility>
#include <vector>

#include "energy/transition.h"
#include "modules/module.h"

namespace basin {

/// Whose parameters the layers of an unrolled inference use.
enum class Sharing {
  Untied,  // every layer has its own
  Tied,    // all layers share the matrices; thresholds and gains are each layer's own
  Graph    // the graph's own: no new parameters, and any transition and energy
};

/// What the code of an unrolled coordinate descent is after its last layer: b is where each unit would go by
/// itself.
enum class LastShrink {
  Off,     // z, of which every layer changed one unit
  All,     // all units move at once: z + gain (b - z), shrunk
  Unmoved  // the same, but units that have moved pass unshrunk
};

struct UnrollOptions {
  Index steps = 16;  // layers
  Sharing sharing = Sharing::Untied;
  bool threshold_per_unit = false;  // one threshold a unit of z instead of one a layer

  /// S = I - A' W with A the dictionary as it is, so that an iteration of ISTA is z <- shrink(z + gain W'(y -
  /// A z), threshold) and W [m, n] (and, tied, each layer's gain) is all that learns besides thresholds:
  /// LISTA-CP. Asks for a single squared error of a linear decoder.
  bool coupled = false;

  // ISTA alone:
  /// Support selection: in layer k = 1, 2, ... the min(k select, select_at_most) n largest numbers beyond the
  /// threshold pass unshrunk.
  double select = 0.0;
  double select_at_most = 0.13;
  /// Fraction of each row of S, diagonal aside, that is kept: its largest numbers; the rest is 0 for ever. 1:
  /// all.
  double inhibition = 1.0;

  // Coordinate descent alone:
  LastShrink last_shrink = LastShrink::All;
};

/// An inference of K layers from z = 0, as a function from y to z that is trained like any other: the module
/// that unroll() makes.
class Unrolled final : public Module {
 public:
  /// [N, from.shape...] -> [N, to.shape...] (any shape of as many numbers a sample does).
  Value forward(const Value& y, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override { return parameters_; }
  /// The codes after each layer, [N, to.shape...] each; forward() is the last of them.
  std::vector<Value> codes(const Value& y) const;
  Index steps() const { return static_cast<Index>(layers_.size()); }
  const Variable& from() const { return from_; }
  const Variable& to() const { return to_; }
  /// The first layers alone, with the same parameters. Throws Error unless 1 <= steps <= steps().
  Unrolled first(Index steps) const;

 private:
  friend Unrolled unroll(const FactorGraph& graph, std::shared_ptr<const Transition> transition,
                         const Variable& from, const Variable& to, const UnrollOptions& options);
  Unrolled() = default;
  State start(const Value& y) const;

  FactorGraph graph_;
  Variable from_, to_;
  std::vector<std::shared_ptr<const Transition>> layers_;
  std::vector<Parameter> parameters_;
};

/// Turns inference into a network: K iterations of `transition` (from z = 0, y given) with the tape on.
/// Untied or tied, ISTA and coordinate descent get parameters of their own, read off the graph's derivatives,
/// where df/dz = H z - B y - c and the rest is L1 (see UnrollQuadratic); before training, and without support
/// selection, the network equals the inference.
///
///   Ista               z <- shrink(We y + S z, theta)      We = t B, S = I - t H, theta = t lambda, t the
///                      step of ISTA      (LISTA)
///   CoordinateDescent  b = We y;  u = shrink(b, theta), k = argmax |u - z|, d = gain (u_k - z_k), b += S_k
///                      d, z_k += d      (LCoD) We = B / diag H, S = I - H / diag H by rows, theta = lambda /
///                      diag H
///                      the code: see LastShrink. In the paper there are no gains, one theta serves all, and
///                        all units shrink last
///
/// Parameters "<layer>.encoder" We [m, n], "<layer>.inhibition" S [n, n], "<layer>.threshold" [1] or [n],
/// "<layer>.bias" [n] (t c, where c is not 0), "<layer>.gain" [1] (of ISTA: coupled and tied),
/// "<layer>.last_threshold" and "<layer>.last_gain" [1] (the code of coordinate descent after that layer);
/// what all layers share is named without the number. Negative thresholds count as 0. Throws Error where the
/// energy is not of that form, or for options that do not fit the transition. References: Gregor, LeCun 2010,
/// "Learning fast approximations of sparse coding", algorithms 3 and 4; support selection and coupling: Chen,
/// Liu, Wang, Yin 2018, "Theoretical linear convergence of unfolded ISTA", eq. 7 and 10; tied coupled
/// weights: Liu, Chen, Wang, Yin 2019, "ALISTA", eq. 15 (TiLISTA).
Unrolled unroll(const FactorGraph& graph, std::shared_ptr<const Transition> transition, const Variable& from,
                const Variable& to, const UnrollOptions& options = {});
template <std::derived_from<Transition> T>
Unrolled unroll(const FactorGraph& graph, T transition, const Variable& from, const Variable& to,
                const UnrollOptions& options = {}) {
  return unroll(graph, std::make_shared<const T>(std::move(transition)), from, to, options);
}

}  // namespace basin
