#include "training/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "tensor/backend.h"
#include "tensor/cuda/library/cuda.h"
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

/// Numbers of rows on a device. Those of an epoch are uploaded once, and batches that follow its order are
/// views.
class RowsThere {
 public:
  void follow(std::vector<Index> order, Placement placement) {
    there_ = Tensor::from(numbers(order), {static_cast<Index>(order.size())}, placement);
    order_ = std::move(order);
    next_ = 0;
  }

  Tensor of(std::span<const Index> rows, Placement placement) {
    const std::size_t n = rows.size();
    if (next_ + n > order_.size() || !matches(rows, next_)) next_ = find(rows);
    if (next_ + n <= order_.size()) {
      const auto begin = static_cast<Index>(next_);
      next_ += n;
      return there_.rows(begin, begin + static_cast<Index>(n));
    }
    next_ = 0;
    return Tensor::from(numbers(rows), {static_cast<Index>(n)}, placement);
  }

 private:
  static std::vector<double> numbers(std::span<const Index> rows) { return {rows.begin(), rows.end()}; }
  bool matches(std::span<const Index> rows, std::size_t at) const {
    return at + rows.size() <= order_.size() &&
           std::equal(rows.begin(), rows.end(), order_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  /// Where the rows stand in the order, as a batch of their size does; its end where they do not.
  std::size_t find(std::span<const Index> rows) const {
    for (std::size_t at = 0; !rows.empty() && at + rows.size() <= order_.size(); at += rows.size()) {
      if (matches(rows, at)) return at;
    }
    return order_.size();
  }

  std::vector<Index> order_;
  Tensor there_;
  std::size_t next_ = 0;
};

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
    const bool asked = residency != Device::Cpu && placement_.device != Device::Cpu;
    if (asked && column_.in_memory() && !is_drawn && is_room(column_.count() * element_count(shape_))) {
      std::vector<Index> rows(static_cast<std::size_t>(column_.count()));
      std::iota(rows.begin(), rows.end(), Index{0});
      resident_ = Tensor(with_rows(column_.count(), shape_), placement_);
      fill_batch(column_, rows, pixels_, resident_);
    }
  }

  bool is_resident() const { return resident_.defined(); }

  /// `longest`: entries of a sequence that the batch needs; 0: all. `there`: the rows on the device, in the
  /// dtype of the placement, where a feed is resident.
  void fill(std::span<const Index> rows, const Tensor& there, Key key, Index longest, State& state) {
    Shape shape = shape_;
    const bool is_short = variable_.is_free() && variable_.shape[0] == 0 && longest > 0 && longest < shape[0];
    if (is_short) shape[0] = longest;
    if (variable_.is_free() && variable_.shape[0] == 0 && longest > shape_[0]) {
      throw Error(fmt::format("[source] expected lengths of at most the {} entries of {}, received {}",
                              shape_[0], variable_.name, longest));
    }
    const Tensor& out = buffer_.take(with_rows(static_cast<Index>(rows.size()), shape), placement_);
    if (resident_.defined() && !is_short) {
      backend(placement_.device)
          .gather({.dtype = placement_.dtype,
                   .outer = 1,
                   .middle = resident_.dim(0),
                   .inner = element_count(shape_),
                   .count = out.dim(0),
                   .index = there.data(),
                   .x = resident_.data(),
                   .y = out.data()});
    } else {
      BatchOptions drawn = pixels_;
      drawn.key = key;
      drawn.longest = is_short ? longest : 0;
      fill_batch(column_, rows, drawn, out);
    }
    state.set(variable_, Value(out));
  }

 private:
  /// Whether so many numbers may stay on the device: in a quarter of a GPU's memory, elsewhere in 1 GiB; and
  /// rows must be whole numbers of the dtype.
  bool is_room(Index numbers) const {
    const std::size_t room = placement_.device == Device::Cuda ? cuda_bytes() / 4 : std::size_t{1} << 30;
    const Index most = placement_.dtype == Dtype::F32 ? Index{1} << 24 : Index{1} << 53;
    return column_.count() <= most && static_cast<std::size_t>(numbers) * byte_size(placement_.dtype) <= room;
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
  Placement placement;
  RowsThere rows;

  bool is_resident() const { return std::ranges::any_of(feeds, &Feed::is_resident); }
};

Source::Source(Samples samples, const std::vector<Input>& inputs, Placement placement, SourceOptions options)
    : kept_(std::make_shared<Kept>()) {
  kept_->count = samples.count;
  kept_->placement = placement;
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
  std::vector<Index> order =
      sample_order(kept_->order, key, kept_->count, {batch, kept_->block, kept_->together});
  if (kept_->is_resident()) kept_->rows.follow(order, kept_->placement);
  return order;
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
  Tensor there;
  if (kept.is_resident()) {
    for (const Index row : rows) {
      if (row < 0 || row >= kept.count)
        throw Error(fmt::format("[source] expected rows 0 to {}, received {}", kept.count - 1, row));
    }
    there = kept.rows.of(rows, kept.placement);
  }
  for (Feed& feed : kept.feeds) feed.fill(rows, there, key, longest, state);
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
