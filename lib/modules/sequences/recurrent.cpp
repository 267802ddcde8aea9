#include "modules/sequences/recurrent.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autograd/ops.h"
#include "modules/dropout.h"
#include "modules/initializer.h"
#include "modules/lengths.h"
#include "modules/sequential/sequential.h"
#include "tensor/error.h"

namespace basin {
namespace {

Index gates(RecurrentCell cell) {
  if (cell == RecurrentCell::Lstm) return gates_of(GatedCell::Lstm);
  return cell == RecurrentCell::Gru ? gates_of(GatedCell::Gru) : 1;
}

/// Glorot's matrices of all gates, side by side.
Parameter matrix(const char* name, Index in, Index hidden, const RecurrentOptions& options, Key key) {
  if (in < 1 || hidden < 1) {
    throw Error(
        fmt::format("[recurrent] expected at least one input and one unit, received {} and {}", in, hidden));
  }
  std::vector<Value> parts;
  for (Index g = 0; g < gates(options.cell); ++g) {
    parts.emplace_back(Initializer().weights(in, hidden, key.fold(name).fold(static_cast<std::uint64_t>(g)),
                                             options.placement));
  }
  return {name, concat(parts, 1).tensor()};
}

Parameter first_bias(Index hidden, const RecurrentOptions& options) {
  std::vector<double> bias(static_cast<std::size_t>(gates(options.cell) * hidden), 0.0);
  if (options.cell == RecurrentCell::Lstm) std::fill_n(bias.begin() + hidden, hidden, options.forget_bias);
  return {"bias", Tensor::from(bias, {static_cast<Index>(bias.size())}, options.placement)};
}

Value apply(RecurrentUnit unit, const Value& x) { return unit == RecurrentUnit::Tanh ? tanh(x) : relu(x); }

bool same(const Parameter& a, const Parameter& b) { return a.value().node() == b.value().node(); }

RecurrentOptions reversed(RecurrentOptions options) {
  options.reversed = true;
  return options;
}

}  // namespace

RecurrentCell parse_recurrent_cell(std::string_view name) {
  if (name == "elman") return RecurrentCell::Elman;
  if (name == "jordan") return RecurrentCell::Jordan;
  if (name == "lstm") return RecurrentCell::Lstm;
  if (name == "gru") return RecurrentCell::Gru;
  throw Error(fmt::format("[recurrent] expected elman, jordan, lstm or gru, received '{}'", name));
}

Recurrent::Recurrent(Index in, Index hidden, Key key, RecurrentOptions options)
    : in_(in),
      hidden_(hidden),
      options_(options),
      input_(matrix("input.weight", options.embedding > 0 ? options.embedding : in, hidden, options, key)),
      recurrent_(matrix("recurrent.weight", hidden, hidden, options, key)),
      bias_(first_bias(hidden, options)) {
  const Placement placement = options.placement;
  if (options.embedding > 0) {
    embedding_.emplace("embedding.weight",
                       Initializer().weights(in, options.embedding, key.fold("embedding.weight"), placement));
  }
  if (options.peepholes && options.cell != RecurrentCell::Lstm)
    throw Error("[recurrent] expected peepholes of an lstm alone; leave them out, or take cell = lstm");
  if (options.cell == RecurrentCell::Gru)
    candidate_.emplace("candidate.bias", Tensor::zeros({hidden}, placement));
  if (options.peepholes) peephole_.emplace("peephole.weight", Tensor::zeros({3, hidden}, placement));
  if (options.cell == RecurrentCell::Jordan) {
    output_.emplace("output.weight",
                    Initializer().weights(hidden, hidden, key.fold("output.weight"), placement));
    output_bias_.emplace("output.bias", Tensor::zeros({hidden}, placement));
  }
}

double Recurrent::parameter_count(Index in, Index hidden, const RecurrentOptions& options) {
  const auto inputs = static_cast<double>(in), units = static_cast<double>(hidden),
             embedding = static_cast<double>(options.embedding),
             width = static_cast<double>(gates(options.cell)) * units;
  double count = ((options.embedding > 0 ? embedding : inputs) + units + 1.0) * width + inputs * embedding;
  if (options.cell == RecurrentCell::Gru) count += units;
  if (options.cell == RecurrentCell::Jordan) count += units * units + units;
  return options.peepholes ? count + 3.0 * units : count;
}

Index Recurrent::state_size() const { return options_.cell == RecurrentCell::Lstm ? 2 * hidden_ : hidden_; }

Walked Recurrent::run(const Value& x, const Value& start, const Context& context) const {
  if (!x.defined() || x.rank() != 3 || x.dim(2) != in_ || x.dim(1) < 1) {
    throw Error(
        fmt::format("[recurrent] expected sequences [N, T, {}] of at least one step, received {}; change the "
                    "layer's size or the input",
                    in_, x.defined() ? to_string(x.shape()) : "nothing"));
  }
  const Value from = start.defined() ? start : Value(Tensor::zeros({x.dim(0), state_size()}, x.placement()));
  if (from.shape() != Shape{x.dim(0), state_size()}) {
    throw Error(
        fmt::format("[recurrent] expected a state [{}, {}] at the start, received {}; give one a sequence",
                    x.dim(0), state_size(), to_string(from.shape())));
  }
  const WalkOptions how{lengths_of(context, x.dim(0), x.dim(1)), options_.reversed};
  const Value weight = embedding_ ? matmul(embedding_->value(), input_.value()) : input_.value();
  const Value total = matmul(x, weight) + bias_.value();
  const Value& u = recurrent_.value();
  switch (options_.cell) {
    case RecurrentCell::Lstm:
      return gated_walk(GatedCell::Lstm, total,
                        {.recurrent = u, .peephole = peephole_ ? peephole_->value() : Value()}, from, how,
                        options_.steps);
    case RecurrentCell::Gru:
      return gated_walk(GatedCell::Gru, total, {.recurrent = u, .candidate = candidate_->value()}, from, how,
                        options_.steps);
    case RecurrentCell::Elman:
      return walk(total, from, how, [&](const Value& a, const Value& h) -> Stepped {
        const Value next = apply(options_.unit, a + matmul(h, u));
        return {next, next};
      });
    case RecurrentCell::Jordan:
      return walk(total, from, how, [&](const Value& a, const Value& y) -> Stepped {
        const Value next =
            matmul(apply(options_.unit, a + matmul(y, u)), output_->value()) + output_bias_->value();
        return {next, next};
      });
  }
  throw Error("[recurrent] expected a RecurrentCell, received a number that is none");
}

Value Recurrent::forward(const Value& x, const Context& context) const {
  if (!context.streams) return run(x, {}, context).outputs;
  if (options_.reversed) {
    throw Error(
        "[recurrent] expected a layer that goes forward where sequences go on from batch to batch, received "
        "a reversed one; do not carry its state");
  }
  const auto own = [&](const StreamState& each) { return same(each.owner, recurrent_); };
  Streams& streams = *context.streams;
  const auto start = std::find_if(streams.starts.begin(), streams.starts.end(), own);
  Walked walked = run(x, start == streams.starts.end() ? Value() : Value(start->state), context);
  std::erase_if(streams.ends, own);
  streams.ends.push_back({recurrent_, walked.state.tensor()});
  return walked.outputs;
}

std::vector<Parameter> Recurrent::parameters() const {
  std::vector<Parameter> all{input_, recurrent_, bias_};
  for (const auto* more : {&embedding_, &candidate_, &peephole_, &output_, &output_bias_}) {
    if (*more) all.push_back(**more);
  }
  return all;
}

Bidirectional::Bidirectional(Index in, Index hidden, Key key, RecurrentOptions options)
    : forward_(in, hidden, key.fold("forward"), options),
      backward_(in, hidden, key.fold("backward"), reversed(options)) {}

Value Bidirectional::forward(const Value& x, const Context& context) const {
  if (context.streams) {
    throw Error(
        "[bidirectional] expected whole sequences, received parts that go on from batch to batch; take "
        "layers of one direction");
  }
  return concat({forward_.forward(x, context), backward_.forward(x, context)}, 2);
}

std::vector<Parameter> Bidirectional::parameters() const {
  std::vector<Parameter> all;
  for (const auto& [name, layer] : {std::pair{"forward", &forward_}, std::pair{"backward", &backward_}}) {
    for (const Parameter& parameter : layer->parameters()) all.push_back(parameter.prefixed(name));
  }
  return all;
}

Sequential recurrent_stack(Index in, Index hidden, Key key, StackOptions options) {
  if (options.layers < 1)
    throw Error(fmt::format("[recurrent] expected at least one layer, received {}", options.layers));
  Sequential stack;
  for (Index i = 0; i < options.layers; ++i) {
    const Index below = i == 0 ? in : options.bidirectional ? 2 * hidden : hidden;
    const Key own = key.fold(static_cast<std::uint64_t>(i));
    RecurrentOptions layer = options.layer;
    if (i > 0) layer.embedding = 0;
    if (i > 0 && options.dropout > 0.0) stack.add(Dropout(options.dropout));
    options.bidirectional ? stack.add(Bidirectional(below, hidden, own, layer))
                          : stack.add(Recurrent(below, hidden, own, layer));
  }
  return stack;
}

}  // namespace basin
