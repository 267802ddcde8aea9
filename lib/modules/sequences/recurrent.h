#pragma once

#include <optional>
#include <string_view>

#include "autograd/recurrence.h"
#include "modules/module.h"
#include "modules/sequential/sequential.h"

namespace basin {

/// What becomes of the total input a = x W + b and of what is fed back.
///   Elman   h' = f(a + h U), the output is h'       Elman 1990, "Finding structure in time"
///   Jordan  h' = f(a + y U), y' = h' V + d, the output is y'    Jordan 1986, "Serial order"
///   Lstm, Gru   tensor/recurrence.h
enum class RecurrentCell { Elman, Jordan, Lstm, Gru };

/// "elman", "jordan", "lstm", "gru". Throws Error on any other name.
RecurrentCell parse_recurrent_cell(std::string_view name);

/// f of Elman and Jordan cells.
enum class RecurrentUnit { Tanh, Relu };

struct RecurrentOptions {
  RecurrentCell cell = RecurrentCell::Lstm;
  RecurrentUnit unit = RecurrentUnit::Tanh;
  bool peepholes = false;    // of an Lstm
  double forget_bias = 1.0;  // of an Lstm, where its bias starts: it keeps what it has at first
  Index embedding = 0;    // W = E W', with E [in, embedding]: numbers by which symbols are known; 0: W alone
  bool reversed = false;  // from each sequence's own end to its start
  Steps steps = Steps::Fused;
  Placement placement = {};
};

/// A recurrent layer, [N, T, in] -> [N, T, hidden], over sequences that end at the context's lengths: past
/// them outputs are 0 and the state stays. Sequences start at 0, or where Context::streams says, and then
/// leave their last state there.
///
/// Parameters "input.weight" [in, G hidden], "recurrent.weight" [hidden, G hidden], "bias" [G hidden], with
/// G = 4 of an Lstm (i, f, g, o), 3 of a Gru (r, z, n), else 1; "candidate.bias" [hidden] of a Gru,
/// "embedding.weight" E where there is one (then "input.weight" is W' [embedding, G hidden]: of symbols E W',
/// a small matrix, is all that all steps need), "peephole.weight" [3, hidden] (0 at first), "output.weight"
/// [hidden, hidden] and "output.bias" of a Jordan layer. Matrices start gate by gate as Glorot's, biases at
/// 0. Throws Error where options do not go together, for inputs of another shape, and for streams of a
/// reversed layer.
class Recurrent final : public Module {
 public:
  Recurrent(Index in, Index hidden, Key key, RecurrentOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;
  bool ends_at_lengths() const override { return true; }

  /// From a state [N, state_size()] at the start; undefined: 0. What stands in Context::streams is left
  /// alone.
  Walked run(const Value& x, const Value& start, const Context& context = {}) const;
  /// Numbers of a state: h, or h and c of an Lstm.
  Index state_size() const;
  /// Numbers of all parameters of such a layer, as a double, which does not overflow: known before one is
  /// drawn.
  static double parameter_count(Index in, Index hidden, const RecurrentOptions& options);
  Index size() const { return hidden_; }

 private:
  Index in_, hidden_;
  RecurrentOptions options_;
  Parameter input_, recurrent_, bias_;
  std::optional<Parameter> embedding_, candidate_, peephole_, output_, output_bias_;
};

/// Both directions side by side, [N, T, in] -> [N, T, 2 hidden]: a layer from the start, a reversed one from
/// each sequence's own end. Parameters "forward.<name>" and "backward.<name>". Throws Error for streams.
/// Reference: Schuster, Paliwal 1997, "Bidirectional recurrent neural networks".
class Bidirectional final : public Module {
 public:
  Bidirectional(Index in, Index hidden, Key key, RecurrentOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;
  bool ends_at_lengths() const override { return true; }

 private:
  Recurrent forward_, backward_;
};

struct StackOptions {
  Index layers = 1;
  bool bidirectional = false;
  double dropout = 0.0;         // of what one layer hands to the next
  RecurrentOptions layer = {};  // an embedding is the first layer's alone
};

/// Layers on one another, with Dropout between, as a Sequential: module i is a layer or a Dropout. Throws
/// Error for less than one layer.
Sequential recurrent_stack(Index in, Index hidden, Key key, StackOptions options = {});

}  // namespace basin
