#include "energy/sample/continuous/nuts.h"

#include <fmt/format.h>

#include <bit>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr double kNothing = -1e30;  // the logarithm of no weight
constexpr Index kLook = 8;          // leaves from one look at whether any row still moves to the next

Value log_sum(const Value& a, const Value& b) {
  const Value most = maximum(a, b);
  return most + log(exp(a - most) + exp(b - most));
}

Value positive(const Value& x) { return step(x); }
Value no(const Value& flag) { return 1.0 - flag; }

bool any(const Value& flags) { return flags.tensor().size() > 0 && max(flags, 0).item() > 0.0; }

Particle choose(const Value& take, const Particle& yes, const Particle& no) {
  return {choose(take, yes.position, no.position),
          choose(take, yes.momentum, no.momentum),
          {choose(take, yes.potential.energy, no.potential.energy),
           choose(take, yes.potential.slope, no.potential.slope)}};
}

/// Part of a trajectory of each row: what it weighs together, and one of its states.
struct Span {
  Value log_weight;  // [N], of exp(H_0 - H)
  Value momenta;     // [N, D], their sum
  Value proposal;    // [N, D]
};

/// The first leaves of the subtrees that are open, by how many there are around them.
struct OpenSubtrees {
  struct First {
    Value momentum, momenta;  // its own, and the sum up to it
  };
  std::vector<First> firsts;

  static std::size_t depth_of(Index leaf) {
    return static_cast<std::size_t>(std::popcount(static_cast<std::uint64_t>(leaf) >> 1));
  }
  void open(Index leaf, const Value& momentum, const Value& momenta) {
    const std::size_t depth = depth_of(leaf);
    if (firsts.size() <= depth) firsts.resize(depth + 1);
    firsts[depth] = {momentum, momenta};
  }
};

/// One move of all rows.
class Trajectory {
 public:
  Trajectory(const Hamiltonian& hamiltonian, const State& state, const Value& time, Key key)
      : hamiltonian_(hamiltonian),
        state_(state),
        key_(key),
        time_(time),
        first_(hamiltonian.start(key.fold("momentum"))),
        last_(first_),
        energy_(hamiltonian.energy(first_)),
        zeros_(zeros_like(energy_)),
        whole_{zeros_, first_.momentum, first_.position},
        moves_(ones_like(energy_)) {}

  /// Doubles it where it has not turned; false where nothing is left to double.
  bool double_it(Index depth) {
    const Key key = key_.fold("doubling").fold(static_cast<std::uint64_t>(depth));
    const Value forwards = positive(0.5 - RealBlock::uniforms(state_, key.fold("direction")));
    Particle end = choose(forwards, last_, first_);
    const Value time = time_ * (2.0 * forwards - 1.0);
    Span subtree{zeros_ + kNothing, zeros_like(whole_.momenta), whole_.proposal};
    const Value whole = grow(end, subtree, time, Index{1} << depth, key);
    // What turned, or diverged, before it was whole, is as if it had never been.
    first_ = choose(whole * no(forwards), end, first_);
    last_ = choose(whole * forwards, end, last_);
    const Value takes = whole * positive(exp(minimum(subtree.log_weight - whole_.log_weight, zeros_)) -
                                         RealBlock::uniforms(state_, key.fold("subtree")));
    whole_.proposal = choose(takes, subtree.proposal, whole_.proposal);
    whole_.log_weight = choose(whole, log_sum(whole_.log_weight, subtree.log_weight), whole_.log_weight);
    whole_.momenta = choose(whole, whole_.momenta + subtree.momenta, whole_.momenta);
    depth_ = depth_ + whole;
    moves_ = whole * no(turned(first_.momentum, last_.momentum, whole_.momenta));
    return any(moves_);
  }

  const Value& proposal() const { return whole_.proposal; }
  Info said() const {
    return {{"acceptance", acceptance_ / gradients_},
            {"step_size", time_},
            {"depth", depth_},
            {"divergent", divergent_},
            {"gradients", gradients_}};
  }

 private:
  /// Adds up to `leaves` of them to a subtree that begins beyond `end`; 1 for rows whose subtree is whole.
  Value grow(Particle& end, Span& subtree, const Value& time, Index leaves, Key key) {
    Value alive = moves_;
    OpenSubtrees open;
    for (Index leaf = 0; leaf < leaves; ++leaf) {
      end = hamiltonian_.leapfrog(end, reshape(time * alive, {time.dim(0), 1}));
      alive = add(end, subtree, alive, key.fold("leaf").fold(static_cast<std::uint64_t>(leaf)));
      if (leaf % 2 == 0) {
        open.open(leaf, end.momentum, subtree.momenta);
      } else {
        alive = alive * no(turns(open, leaf, end.momentum, subtree.momenta));
      }
      if (leaf % kLook == kLook - 1 && leaf + 1 < leaves && !any(alive)) break;
    }
    return alive;
  }

  /// Takes a leaf into a subtree; 1 for rows that were alive and have not diverged.
  Value add(const Particle& leaf, Span& subtree, const Value& alive, Key key) {
    const Value fall = energy_ - hamiltonian_.energy(leaf);
    // No comparison with a NaN holds, and an energy of minus infinity is none.
    const Value sound = positive(fall + kDivergent) * positive(-kNothing - fall);
    const Value log_weight = choose(sound, fall, zeros_ - kDivergent);
    const Value together = log_sum(subtree.log_weight, log_weight);
    const Value takes = positive(exp(log_weight - together) - RealBlock::uniforms(state_, key));
    subtree.proposal = choose(takes, leaf.position, subtree.proposal);
    subtree.log_weight = together;
    subtree.momenta = subtree.momenta + leaf.momentum;
    acceptance_ = acceptance_.defined() ? acceptance_ + alive * acceptance_of(log_weight)
                                        : alive * acceptance_of(log_weight);
    gradients_ = gradients_.defined() ? gradients_ + alive : alive;
    divergent_ = divergent_.defined() ? divergent_ + alive * no(sound) : alive * no(sound);
    return alive * sound;
  }

  /// 1 where a subtree that an odd leaf closes turns back.
  Value turns(const OpenSubtrees& open, Index leaf, const Value& momentum, const Value& momenta) const {
    const std::size_t most = OpenSubtrees::depth_of(leaf);
    const auto closed = static_cast<std::size_t>(std::countr_one(static_cast<std::uint64_t>(leaf)));
    Value turned_back = zeros_;
    for (std::size_t i = most + 1 - closed; i <= most; ++i) {
      const OpenSubtrees::First& first = open.firsts[i];
      const Value between = momenta - first.momenta + first.momentum;
      turned_back = maximum(turned_back, turned(first.momentum, momentum, between));
    }
    return turned_back;
  }

  /// The criterion; it is the same from either end.
  Value turned(const Value& first, const Value& last, const Value& momenta) const {
    const Value velocity = hamiltonian_.velocity(momenta - 0.5 * (first + last));
    return no(positive(dot_per_sample(velocity, first)) * positive(dot_per_sample(velocity, last)));
  }

  const Hamiltonian& hamiltonian_;
  const State& state_;
  Key key_;
  Value time_;             // [N]
  Particle first_, last_;  // the ends
  Value energy_, zeros_;   // H_0; [N]
  Span whole_;
  Value moves_;  // 1 for rows that may double again
  Value depth_ = zeros_, acceptance_, gradients_, divergent_;
};

}  // namespace

Nuts::Nuts(Block moved, NutsOptions options)
    : moved_("Nuts", std::move(moved)),
      options_(std::move(options)),
      step_(moved_.who(), name(), options_.step, options_.tune) {
  if (options_.max_depth < 1 || options_.max_depth > 20) {
    throw Error(
        fmt::format("[Nuts] expected 1 <= max_depth <= 20, received {}; 2^max_depth steps are a move's most",
                    options_.max_depth));
  }
  check_variances(moved_, options_.variances);
}

State Nuts::operator()(const FactorGraph& graph, const State& state, Key key) const {
  const Hamiltonian hamiltonian(moved_, graph, state, options_.variances);
  Trajectory trajectory(hamiltonian, state, step_.of(state), key);
  for (Index depth = 0; depth < options_.max_depth && trajectory.double_it(depth); ++depth) {
  }
  State moved = moved_.with(graph, state, trajectory.proposal());
  const Info said = trajectory.said();
  step_.update(moved, said.at("acceptance"));
  for (const auto& [what, value] : said) moved.remember(name() + "." + what, value);
  return moved;
}

Info Nuts::info(const State& after) const {
  Info said;
  for (const char* what : {"acceptance", "step_size", "depth", "divergent", "gradients"}) {
    if (Value value = after.recall(name() + "." + what); value.defined()) said[what] = std::move(value);
  }
  return said;
}

}  // namespace basin
