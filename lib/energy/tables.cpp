#include "energy/tables.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "autograd/ops.h"
#include "energy/draw.h"

namespace basin {
namespace {

using Axes = std::vector<std::size_t>;

bool holds(const Axes& axes, std::size_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

/// All axes of the tables that read one, that one among them.
Axes neighbourhood(const std::vector<Axes>& tables, std::size_t axis) {
  std::set<std::size_t> all{axis};
  for (const Axes& axes : tables) {
    if (holds(axes, axis)) all.insert(axes.begin(), axes.end());
  }
  return {all.begin(), all.end()};
}

/// Scores with an extent of 1 for each of `all` that the table does not read.
Value spread(const Table& table, const Axes& all) {
  Shape shape{table.scores.dim(0)};
  for (std::size_t i = 0; const std::size_t axis : all) {
    const bool own = i < table.axes.size() && table.axes[i] == axis;
    shape.push_back(own ? table.scores.dim(static_cast<Index>(++i)) : 1);
  }
  return reshape(table.scores, std::move(shape));
}

Value plus(const Value& a, const Value& b) { return a.defined() ? a + b : b; }

}  // namespace

TableOrder table_order(const std::vector<Index>& sizes, const std::vector<Axes>& given) {
  std::vector<Axes> tables = given;
  TableOrder order;
  double total = 0.0;
  const auto numbers = [&](const Axes& axes) {
    double count = 1.0;
    for (const std::size_t axis : axes) count *= static_cast<double>(sizes[axis]);
    return count;
  };
  while (order.axes.size() < sizes.size()) {
    std::size_t best = sizes.size();
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
      if (holds(order.axes, axis)) continue;
      const double count = numbers(neighbourhood(tables, axis));
      if (best == sizes.size() || count < least) {
        best = axis;
        least = count;
      }
    }
    Axes joined = neighbourhood(tables, best);
    std::erase_if(tables, [&](const Axes& axes) { return holds(axes, best); });
    std::erase(joined, best);
    if (!joined.empty()) tables.push_back(std::move(joined));
    total += least;
    order.axes.push_back(best);
  }
  order.cost = std::log2(std::max(total, 1.0));
  return order;
}

TableSum::TableSum(Index rows, std::vector<Index> sizes, std::vector<Table> tables)
    : rows_(rows), sizes_(std::move(sizes)), tables_(std::move(tables)) {
  std::vector<Axes> axes;
  for (const Table& table : tables_) axes.push_back(table.axes);
  order_ = table_order(sizes_, axes).axes;
}

Value TableSum::eliminate(Value (*over)(const Value& x, Index axis), std::vector<Table>* joined) const {
  std::vector<Table> left = tables_;
  Value total;
  for (const std::size_t axis : order_) {
    std::vector<Axes> axes;
    for (const Table& table : left) axes.push_back(table.axes);
    Table whole{neighbourhood(axes, axis), {}};
    for (const Table& table : left) {
      if (holds(table.axes, axis)) whole.scores = plus(whole.scores, spread(table, whole.axes));
    }
    std::erase_if(left, [&](const Table& table) { return holds(table.axes, axis); });
    const auto at = std::find(whole.axes.begin(), whole.axes.end(), axis) - whole.axes.begin();
    Table rest{whole.axes, over(whole.scores, static_cast<Index>(at) + 1)};
    std::erase(rest.axes, axis);
    if (joined != nullptr) joined->push_back(whole);
    if (rest.axes.empty()) {
      total = plus(total, rest.scores);
    } else {
      left.push_back(std::move(rest));
    }
  }
  return broadcast_to(total, {rows_});
}

Value TableSum::log_sum() const {
  return eliminate([](const Value& x, Index axis) { return log_sum_exp(x, axis); }, nullptr);
}

Value TableSum::maximum() const {
  return eliminate([](const Value& x, Index axis) { return max(x, axis); }, nullptr);
}

std::vector<Value> TableSum::sample(Key key, Index first) const {
  std::vector<Table> joined;
  eliminate([](const Value& x, Index axis) { return log_sum_exp(x.detached(), axis); }, &joined);
  std::vector<Value> drawn(sizes_.size());
  for (std::size_t i = order_.size(); i-- > 0;) {
    const std::size_t axis = order_[i];
    const Axes& axes = joined[i].axes;
    // The axis before all others, and these at what was drawn.
    std::vector<Index> turned{0, 0};
    Shape shape{rows_};
    Value place;  // of that among all their values, [N]
    for (std::size_t k = 0; k < axes.size(); ++k) {
      shape.push_back(sizes_[axes[k]]);
      if (axes[k] == axis) {
        turned[1] = static_cast<Index>(k) + 1;
        continue;
      }
      turned.push_back(static_cast<Index>(k) + 1);
      const Value digit = argmax(drawn[axes[k]]);
      place = place.defined() ? place * static_cast<double>(sizes_[axes[k]]) + digit : digit;
    }
    const Value all = broadcast_to(joined[i].scores.detached(), shape);
    Value scores = reshape(transpose(all, turned), {rows_, sizes_[axis], -1});
    if (place.defined()) {
      const Value each = broadcast_to(reshape(place, {rows_, 1}), {rows_, sizes_[axis]});
      scores = take(scores, each.tensor());
    }
    drawn[axis] = draw_one_hot(reshape(scores, {rows_, sizes_[axis]}),
                               key.fold(static_cast<std::uint64_t>(axis)), first);
  }
  return drawn;
}

}  // namespace basin
