#include "autograd/recurrence.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "autograd/grad.h"
#include "autograd/node.h"
#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/error.h"
#include "tensor/solvers.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

void check_walk(const char* who, const Value& inputs, const Value& start, const WalkOptions& how) {
  const Tensor &x = raw::checked(who, inputs), &state = raw::checked(who, start);
  raw::check_placements(who, x, state);
  if (x.rank() != 3 || x.dim(1) < 1 || state.rank() != 2 || state.dim(0) != x.dim(0)) {
    throw Error(fmt::format(
        "[{}] expected inputs [N, T, features], T >= 1, and a state [N, S], received {} and {}; give one "
        "state a sequence",
        who, to_string(x.shape()), to_string(state.shape())));
  }
  const auto is_length = [&](Index length) { return length >= 0 && length <= x.dim(1); };
  if (!how.lengths.empty() && (static_cast<Index>(how.lengths.size()) != x.dim(0) ||
                               !std::all_of(how.lengths.begin(), how.lengths.end(), is_length))) {
    throw Error(fmt::format(
        "[{}] expected {} lengths from 0 to {}, received {} of them, or others; give one a sequence", who,
        x.dim(0), x.dim(1), how.lengths.size()));
  }
}

/// 1 for rows that take a step, [N, 1]; undefined where all do.
Value active_rows(const WalkOptions& how, Index t, Placement placement) {
  if (std::all_of(how.lengths.begin(), how.lengths.end(), [&](Index length) { return t < length; }))
    return {};
  std::vector<double> mask;
  for (const Index length : how.lengths) mask.push_back(t < length ? 1.0 : 0.0);
  return Tensor::from(mask, {static_cast<Index>(mask.size()), 1}, placement);
}

Step lstm_step(const GatedWeights& weights, Index hidden) {
  Values peephole;
  if (weights.peephole.defined()) peephole = unstack(weights.peephole, 0);
  return [=](const Value& input, const Value& state) -> Stepped {
    const Value h = slice(state, 1, 0, hidden), c = slice(state, 1, hidden, 2 * hidden);
    const Value total = input + matmul(h, weights.recurrent);
    const Values gates = unstack(reshape(total, {total.dim(0), 4, hidden}), 1);
    const auto peeped = [&](std::size_t gate, std::size_t row, const Value& cell) {
      return peephole.empty() ? gates[gate] : gates[gate] + cell * peephole[row];
    };
    const Value next = sigmoid(peeped(1, 1, c)) * c + sigmoid(peeped(0, 0, c)) * tanh(gates[2]);
    const Value output = sigmoid(peeped(3, 2, next)) * tanh(next);
    return {output, concat({output, next}, 1)};
  };
}

Step gru_step(const GatedWeights& weights, Index hidden) {
  return [=](const Value& input, const Value& h) -> Stepped {
    const Value product = matmul(h, weights.recurrent);
    const Values a = unstack(reshape(input, {h.dim(0), 3, hidden}), 1);
    const Values u = unstack(reshape(product, {h.dim(0), 3, hidden}), 1);
    const Value reset = sigmoid(a[0] + u[0]), z = sigmoid(a[1] + u[1]);
    const Value n = tanh(a[2] + reset * (u[2] + weights.candidate));
    const Value next = n + z * (h - n);
    return {next, next};
  };
}

/// Everything but the values of one call.
struct Gated {
  GatedCell cell;
  WalkOptions how;

  const char* name() const { return cell == GatedCell::Lstm ? "lstm" : "gru"; }

  Walked composed(const Value& inputs, const GatedWeights& weights, const Value& start) const {
    const Index hidden = weights.recurrent.dim(0);
    return walk(inputs, start, how,
                cell == GatedCell::Lstm ? lstm_step(weights, hidden) : gru_step(weights, hidden));
  }
  /// The same from a node's inputs: a, U, start and b.
  Walked composed(const Values& inputs) const {
    return composed(inputs[0], {.recurrent = inputs[1], .candidate = inputs.size() > 3 ? inputs[3] : Value()},
                    inputs[2]);
  }

  template <class Call>
  Call call(const Tensor& inputs, const Tensor& weight) const {
    Call call;
    call.dtype = inputs.dtype();
    call.cell = cell;
    call.reversed = how.reversed;
    call.rows = inputs.dim(0);
    call.steps = inputs.dim(1);
    call.hidden = weight.dim(0);
    call.lengths = how.lengths;
    call.weight = weight.data();
    return call;
  }
};

struct Kept {
  Tensor gates, cells, previous;

  RecurrenceRecord record() const {
    if (!gates.defined()) return {};
    return {gates.data(), cells.defined() ? cells.data() : nullptr, previous.data()};
  }
};

/// What the node of outputs (part 0) or of states (part 1) hands to its inputs, through the composed steps.
/// On values that stand for the inputs, so that none is reached through another.
Values composed_gradients(const Gated& gated, bool of_state, const Value& gradient, const Values& inputs) {
  const bool record = gradient.tracked() ||
                      std::any_of(inputs.begin(), inputs.end(), [](const Value& x) { return x.tracked(); });
  Values stand_ins;
  for (const Value& input : inputs) {
    stand_ins.push_back(input.tracked() ? Value::result(input.tensor(), {input},
                                                        [](std::size_t, const Value& g, const Values&,
                                                           const Value&) { return g; })
                                        : Value::leaf(input.tensor()));
  }
  const Walked walked = gated.composed(stand_ins);
  return vector_jacobian_product(of_state ? walked.state : walked.outputs, gradient, stand_ins,
                                 {.differentiable = record});
}

Values fused_gradients(const Gated& gated, const Kept& kept, const Value& gradient, const Values& inputs) {
  const Tensor &a = inputs[0].tensor(), &weight = inputs[1].tensor(), &start = inputs[2].tensor();
  const bool is_gru = gated.cell == GatedCell::Gru;
  const Index rows = a.dim(0) * a.dim(1), width = a.dim(2), hidden = weight.dim(0);
  const Tensor d_input(a.shape(), a.placement()), d_start(start.shape(), a.placement());
  const Tensor d_product = is_gru ? Tensor(a.shape(), a.placement()) : d_input;
  auto call = gated.call<RecurrenceBackward>(a, weight);
  call.start = start.data();
  call.record = kept.record();
  call.d_output = gradient.tensor().data();
  call.d_input = d_input.data();
  call.d_product = is_gru ? d_product.data() : nullptr;
  call.d_start = d_start.data();
  solvers(a.device())->recurrence_backward(call);

  const Tensor through = d_product.reshaped({rows, width});
  Values gradients{d_input, raw::gemm(kept.previous.reshaped({rows, hidden}), true, through, false), d_start};
  if (is_gru) {
    const Tensor sums({width}, a.placement());
    backend(a.device()).column_sums(a.dtype(), through.data(), rows, width, 1.0, 0.0, sums.data());
    gradients.push_back(slice(Value(sums), 0, 2 * hidden, 3 * hidden));
  }
  return gradients;
}

Walked fused(const Gated& gated, const Values& inputs) {
  const Tensor &a = inputs[0].tensor(), &weight = inputs[1].tensor(), &start = inputs[2].tensor();
  const Index rows = a.dim(0), steps = a.dim(1), hidden = weight.dim(0);
  const Placement placement = a.placement();
  const Tensor output({rows, steps, hidden}, placement), end(start.shape(), placement);
  Kept kept;
  if (std::any_of(inputs.begin(), inputs.end(), [](const Value& x) { return x.tracked(); })) {
    kept.gates = Tensor({rows, steps, 4 * hidden}, placement);
    kept.previous = Tensor(output.shape(), placement);
    if (gated.cell == GatedCell::Lstm) kept.cells = Tensor(output.shape(), placement);
  }
  auto call = gated.call<RecurrenceForward>(a, weight);
  call.input = a.data();
  call.bias = inputs.size() > 3 ? inputs[3].tensor().data() : nullptr;
  call.start = start.data();
  call.output = output.data();
  call.end = end.data();
  call.record = kept.record();
  solvers(a.device())->recurrence_forward(call);

  Walked walked{Value::result(output, inputs, {}), Value::result(end, inputs, {})};
  if (!kept.gates.defined()) return walked;
  walked.outputs.node()->many = std::make_unique<Many>();
  walked.outputs.node()->many->all_rule = [gated, kept](const Value& gradient, const Values& at) {
    const bool record = gradient.tracked() ||
                        std::any_of(at.begin(), at.end(), [](const Value& input) { return input.tracked(); });
    return record ? composed_gradients(gated, false, gradient, at)
                  : fused_gradients(gated, kept, gradient, at);
  };
  walked.state.node()->many = std::make_unique<Many>();
  walked.state.node()->many->all_rule = [gated](const Value& gradient, const Values& at) {
    return composed_gradients(gated, true, gradient, at);
  };
  return walked;
}

void check_weights(const Gated& gated, const Value& inputs, const GatedWeights& weights, const Value& start) {
  const Tensor& u = raw::checked(gated.name(), weights.recurrent);
  raw::check_placements(gated.name(), inputs.tensor(), u);
  const Index hidden = u.rank() == 2 ? u.dim(0) : 0, width = gates_of(gated.cell) * hidden;
  const bool is_gru = gated.cell == GatedCell::Gru;
  const bool fits =
      hidden > 0 && u.dim(1) == width && inputs.dim(2) == width &&
      start.dim(1) == states_of(gated.cell) * hidden && weights.candidate.defined() == is_gru &&
      (!is_gru || weights.candidate.shape() == Shape{hidden}) &&
      (!weights.peephole.defined() || (!is_gru && weights.peephole.shape() == Shape{3, hidden}));
  if (fits) return;
  throw Error(fmt::format(
      "[{0}] expected inputs [N, T, {1} H], a weight [H, {1} H] and a state [N, {2} H]{3}, received {4}, {5} "
      "and {6}; make them of one number H of units",
      gated.name(), gates_of(gated.cell), states_of(gated.cell),
      is_gru ? ", a candidate bias [H] and no peepholes" : ", no candidate bias and peepholes [3, H] or none",
      to_string(inputs.shape()), to_string(u.shape()), to_string(start.shape())));
}

}  // namespace

Walked walk(const Value& inputs, const Value& start, const WalkOptions& how, const Step& step) {
  check_walk("walk", inputs, start, how);
  const Values parts = unstack(inputs, 1);
  const auto count = static_cast<Index>(parts.size());
  Values outputs(parts.size());
  Value state = start;
  for (Index s = 0; s < count; ++s) {
    const Index t = how.reversed ? count - 1 - s : s;
    const auto at = static_cast<std::size_t>(t);
    const Value mask = active_rows(how, t, inputs.placement());
    Stepped next = step(parts[at], state);
    outputs[at] = mask.defined() ? next.output * mask : next.output;
    state = mask.defined() ? next.state * mask + state * (1.0 - mask) : next.state;
  }
  return {stack(outputs, 1), state};
}

bool are_fused(Steps steps, Device device) { return steps == Steps::Fused && solvers(device) != nullptr; }

Walked gated_walk(GatedCell cell, const Value& inputs, const GatedWeights& weights, const Value& start,
                  const WalkOptions& how, Steps steps) {
  const Gated gated{cell, how};
  check_walk(gated.name(), inputs, start, how);
  check_weights(gated, inputs, weights, start);
  if (!are_fused(steps, inputs.tensor().device()) || weights.peephole.defined())
    return gated.composed(inputs, weights, start);
  Values all{inputs, weights.recurrent, start};
  if (weights.candidate.defined()) all.push_back(weights.candidate);
  return fused(gated, all);
}

}  // namespace basin
