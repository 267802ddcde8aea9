#include "training/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// One tensor that is allocated anew only when its shape changes.
class Buffer {
 public:
  const Tensor& take(const Shape& shape, Placement placement) {
    if (!tensor_.defined() || tensor_.shape() != shape || tensor_.placement() != placement)
      tensor_ = Tensor(shape, placement);
    return tensor_;
  }

 private:
  Tensor tensor_;
};

Shape with_rows(Index rows, Shape shape) {
  shape.insert(shape.begin(), rows);
  return shape;
}

/// A column as values of a variable.
class Feed {
 public:
  Feed(Column column, Variable variable, Placement placement, BatchOptions pixels, Device residency)
      : column_(std::move(column)), variable_(std::move(variable)), placement_(placement), pixels_(pixels) {
    pixels_.one_hot = variable_.domain == Domain::Categorical && column_.classes() > 0;
    Shape sample = column_.shape();
    if (pixels_.one_hot) sample.push_back(column_.classes());
    const bool is_flat = !variable_.is_free() && element_count(sample) == variable_.size();
    if (!variable_.fits(sample) && !is_flat) {
      throw Error(
          fmt::format("[source] expected samples of {} for variable {}, received {}{} of column {}; "
                      "give the variable the shape of the data",
                      to_string(variable_.shape), variable_.name, to_string(sample),
                      pixels_.one_hot ? ", one-hot," : "", column_.name()));
    }
    shape_ = is_flat ? variable_.shape : sample;
    const bool is_drawn = column_.kind() != ColumnKind::Integers &&
                          (pixels_.scale == PixelScale::Stochastic || !pixels_.augment.is_none());
    if (residency != Device::Cpu && column_.in_memory() && !is_drawn && !pixels_.one_hot) {
      std::vector<Index> rows(static_cast<std::size_t>(column_.count()));
      std::iota(rows.begin(), rows.end(), Index{0});
      resident_ = Tensor(with_rows(column_.count(), shape_), placement_);
      fill_batch(column_, rows, pixels_, resident_);
    }
  }

  /// `longest`: entries of a sequence that the batch needs; 0: all.
  void fill(std::span<const Index> rows, Key key, Index longest, State& state) {
    Shape shape = shape_;
    const bool is_short = variable_.is_free() && variable_.shape[0] == 0 && longest > 0 && longest < shape[0];
    if (is_short) shape[0] = longest;
    if (variable_.is_free() && variable_.shape[0] == 0 && longest > shape_[0]) {
      throw Error(fmt::format("[source] expected lengths of at most the {} entries of {}, received {}",
                              shape_[0], variable_.name, longest));
    }
    const Tensor& out = buffer_.take(with_rows(static_cast<Index>(rows.size()), shape), placement_);
    if (resident_.defined() && !is_short) {
      gather_resident(rows, out);
    } else {
      BatchOptions drawn = pixels_;
      drawn.key = key;
      drawn.longest = is_short ? longest : 0;
      fill_batch(column_, rows, drawn, out);
    }
    state.set(variable_, Value(out));
  }

 private:
  /// Runs of neighbours by one copy each.
  void gather_resident(std::span<const Index> rows, const Tensor& out) const {
    for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
      for (end = begin + 1; end < rows.size() && rows[end] == rows[end - 1] + 1;) ++end;
      out.rows(static_cast<Index>(begin), static_cast<Index>(end))
          .copy_from(resident_.rows(rows[begin], rows[end - 1] + 1));
    }
  }

  Column column_;
  Variable variable_;
  Placement placement_;
  BatchOptions pixels_;
  Shape shape_;  // of one sample of a batch
  Tensor resident_;
  Buffer buffer_;
};

}  // namespace

struct Source::Kept {
  Index count = 0;
  std::vector<Feed> feeds;
  std::function<State(std::span<const Index>, Key)> make;
  SampleOrder order = SampleOrder::Shuffled;
  Index block = 1, together = 8;  // rows of a block; blocks that are shuffled as one
  std::optional<Column> lengths;
  Buffer ids, batch_lengths;
};

Source::Source(Samples samples, const std::vector<Input>& inputs, Placement placement, SourceOptions options)
    : kept_(std::make_shared<Kept>()) {
  kept_->count = samples.count;
  kept_->block = options.block;
  if (inputs.empty()) throw Error("[source] expected a column for at least one variable, received none");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Column& column = samples[inputs[i].column];
    BatchOptions pixels = options.pixels;
    if (i > 0 && column.kind() != ColumnKind::Bytes) pixels.scale = PixelScale::Unit;
    if (i > 0) pixels.augment = {};
    kept_->feeds.emplace_back(column, inputs[i].variable, placement, pixels, options.residency);
    kept_->block = options.block > 0 ? options.block : std::max(kept_->block, column.block());
    // A batch on the border of two windows finds the blocks of both.
    kept_->together = std::clamp<Index>(column.blocks_kept() / 2, 1, kept_->together);
  }
  if (const Column* lengths = samples.find(options.lengths);
      lengths != nullptr && lengths->kind() == ColumnKind::Integers && lengths->in_memory())
    kept_->lengths = *lengths;
  const bool is_stored =
      std::ranges::any_of(inputs, [&](const Input& in) { return !samples[in.column].in_memory(); });
  kept_->order = options.order != SampleOrder::Auto ? options.order
                 : is_stored                        ? SampleOrder::Blocks
                                                    : SampleOrder::Shuffled;
}

Source::Source(Index count, std::function<State(std::span<const Index> rows, Key key)> make)
    : kept_(std::make_shared<Kept>()) {
  kept_->count = count;
  kept_->make = std::move(make);
}

Index Source::count() const { return kept_ == nullptr ? 0 : kept_->count; }

std::vector<Index> Source::order(Key key, Index batch) const {
  if (kept_ == nullptr) return {};
  return sample_order(kept_->order, key, kept_->count, {batch, kept_->block, kept_->together});
}

State Source::batch(std::span<const Index> rows, Key key) const {
  if (kept_ == nullptr) throw Error("[source] expected samples, received a source without any");
  Kept& kept = *kept_;
  const auto n = static_cast<Index>(rows.size());
  Context context;
  context.samples = kept.count;
  context.ids = kept.ids.take({n}, {Dtype::F64, Device::Cpu});
  std::ranges::copy(rows, context.ids.host<double>());
  if (kept.make) {
    State state = kept.make(rows, key);
    context.lengths = state.context().lengths;
    return state.in(std::move(context));
  }
  Index longest = 0;
  if (kept.lengths) {
    context.lengths = kept.batch_lengths.take({n}, {Dtype::F64, Device::Cpu});
    fill_batch(*kept.lengths, rows, {}, context.lengths);
    for (Index i = 0; i < n; ++i)
      longest = std::max(longest, static_cast<Index>(context.lengths.host<double>()[i]));
  }
  State state;
  for (Feed& feed : kept.feeds) feed.fill(rows, key, longest, state);
  return state.in(std::move(context));
}

std::vector<Input> inputs_of(const FactorGraph& graph, const Samples& samples) {
  std::vector<Input> inputs;
  std::vector<Variable> others;
  for (const Variable& variable : graph.variables()) {
    if (samples.find(variable.name) != nullptr) {
      inputs.push_back({variable.name, variable});
    } else {
      others.push_back(variable);
    }
  }
  const std::string& first = samples.first().name();
  if (std::ranges::find(inputs, first, &Input::column) == inputs.end() && !others.empty())
    inputs.insert(inputs.begin(), {first, others.front()});
  if (inputs.empty()) throw Error("[source] expected a graph with a variable, received an empty graph");
  return inputs;
}

Source source(const Variable& variable, const Samples& samples, Placement placement,
              const BatchOptions& options) {
  return Source(samples, {{samples.first().name(), variable}}, placement, {.pixels = options});
}

}  // namespace basin
