#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/fill_batch.h"
#include "data/sample_order.h"
#include "energy/graph.h"
#include "tensor/key.h"

namespace basin {

/// A column of the data and the variable of the graph that takes its values.
struct Input {
  std::string column;
  Variable variable;
};

struct SourceOptions {
  BatchOptions pixels = {};  // of columns of bytes; the key given to batch() takes the place of its own
  SampleOrder order = SampleOrder::Auto;
  Index block = 0;                  // samples of a block; 0: as the columns are stored
  std::string lengths = "lengths";  // column of integers, where there is one: how long each sample is
  /// Where whole columns are kept: with the placement's own device, another than the CPU, they become numbers
  /// there once where they fit (a quarter of a GPU's memory), categories one-hot, and batches are gathered
  /// there by the numbers of their samples, which are uploaded once an epoch. Bytes that are drawn and rows
  /// in files stay on the host.
  Device residency = Device::Cpu;
};

/// Where batches come from: samples in an order, as values of variables.
///
/// A batch knows the numbers of its samples (Context::ids, 0 .. count - 1) and their lengths. A variable with
/// a free extent takes as much of a sample's first axis as the longest sample of the batch has. Categorical
/// variables get one-hot values, made from indices here and no earlier. Every batch of one size reuses one
/// buffer: a batch is valid until the next.
class Source {
 public:
  /// No samples.
  Source() = default;
  /// Throws Error for a column that is not there, or whose samples do not fit their variable.
  Source(Samples samples, const std::vector<Input>& inputs, Placement placement, SourceOptions options = {});
  /// `count` samples that a function makes anew from their numbers and a key.
  Source(Index count, std::function<State(std::span<const Index> rows, Key key)> make);

  Index count() const;
  /// The numbers of all samples in the order in which an epoch of batches sees them, batch after batch, drawn
  /// under `key`: count() of them, Streams as many as there are in whole batches.
  std::vector<Index> order(Key key, Index batch) const;
  /// The state of the samples of these numbers, with whatever is drawn under `key`.
  State batch(std::span<const Index> rows, Key key) const;

 private:
  struct Kept;
  std::shared_ptr<Kept> kept_;
};

/// Which columns are values of which variables: each goes to the variable of its name, the first column else
/// to the graph's first variable that no column is named after. Throws Error when that leaves nothing.
std::vector<Input> inputs_of(const FactorGraph& graph, const Samples& samples);

/// The first column as values of one variable; of a tensor [count, variable.shape...] its rows, kept on the
/// host and copied to the placement batch by batch.
Source source(const Variable& variable, const Samples& samples, Placement placement,
              const BatchOptions& options = {});

}  // namespace basin
