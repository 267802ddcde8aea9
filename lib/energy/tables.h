#pragma once

#include <vector>

#include "energy/structure.h"

namespace basin {

/// Scores of a few discrete axes: [N or 1, K_a, K_b, ...] of the axes a < b < ...
struct Table {
  std::vector<std::size_t> axes;
  Value scores;
};

/// In what order axes of these sizes are eliminated when tables of these axes are summed: each time the one
/// whose table with all its neighbours is smallest, of equals the first: a tree from its leaves to its root,
/// with no table of more than two axes. `cost` is log2 of the numbers of a row in all those tables together.
struct TableOrder {
  std::vector<std::size_t> axes;
  double cost = 0.0;
};
TableOrder table_order(const std::vector<Index>& sizes, const std::vector<std::vector<std::size_t>>& tables);

/// s(x) = sum of tables at x, one value for each axis, eliminated axis by axis (variable elimination; on a
/// tree the sum-product and max-product algorithms, Pearl 1988; Dechter 1999, "Bucket elimination"):
///   t(x_v, neighbours) = sum of the tables that read v,  t'(neighbours) = log sum_x_v exp(t)  (or the max).
/// Draws go back through the same t, the last axis first: x_v ~ softmax(t(., neighbours drawn)), axis v under
/// key.fold(v).
class TableSum {
 public:
  /// Tables that broadcast to `rows`; every axis is read by one at least.
  TableSum(Index rows, std::vector<Index> sizes, std::vector<Table> tables);
  Value log_sum() const;                                  // [N]
  Value maximum() const;                                  // [N]
  std::vector<Value> sample(Key key, Index first) const;  // one-hot [N, K] of each axis

 private:
  Value eliminate(Value (*over)(const Value& x, Index axis), std::vector<Table>* joined) const;

  Index rows_;
  std::vector<Index> sizes_;
  std::vector<Table> tables_;
  std::vector<std::size_t> order_;
};

}  // namespace basin
