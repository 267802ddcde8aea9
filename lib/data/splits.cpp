#include "data/splits.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// Rows of each class, in order; one class of all where there are no labels.
std::vector<std::vector<Index>> rows_by_class(const Samples& samples) {
  const Column* labels = samples.labels();
  std::vector<std::vector<Index>> rows(labels == nullptr ? 1 : static_cast<std::size_t>(labels->classes()));
  for (Index n = 0; n < samples.count; ++n) {
    const auto own =
        labels == nullptr ? 0 : static_cast<std::size_t>(labels->integers()[static_cast<std::size_t>(n)]);
    rows[own].push_back(n);
  }
  return rows;
}

std::vector<std::vector<Index>> labelled_rows(const Samples& samples) {
  if (samples.labels() == nullptr)
    throw Error(
        "[labels] expected samples with a column of categories, received none; data.labels needs labels");
  return rows_by_class(samples);
}

/// Shares of `count` that add up to it, in proportion to the sizes: what rounding down leaves goes to the
/// largest remainders, the first of equals.
std::vector<Index> shares(const std::vector<std::vector<Index>>& rows, Index all, Index count) {
  std::vector<Index> share(rows.size());
  std::vector<double> remainder(rows.size());
  Index left = count;
  for (std::size_t c = 0; c < rows.size(); ++c) {
    const double exact =
        static_cast<double>(count) * static_cast<double>(rows[c].size()) / static_cast<double>(all);
    share[c] = static_cast<Index>(exact);
    remainder[c] = exact - static_cast<double>(share[c]);
    left -= share[c];
  }
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return remainder[a] > remainder[b]; });
  for (std::size_t i = 0; left > 0; i = (i + 1) % order.size()) {
    if (share[order[i]] == static_cast<Index>(rows[order[i]].size())) continue;
    ++share[order[i]];
    --left;
  }
  return share;
}

/// The first `share` of each class in an order drawn for it, as rising row numbers.
std::vector<Index> draw(const std::vector<std::vector<Index>>& rows, const std::vector<Index>& share,
                        Key key) {
  std::vector<Index> drawn;
  for (std::size_t c = 0; c < rows.size(); ++c) {
    const auto order = permutation(key.fold("class").fold(c), static_cast<Index>(rows[c].size()));
    for (Index i = 0; i < share[c]; ++i)
      drawn.push_back(rows[c][static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
  }
  std::ranges::sort(drawn);
  return drawn;
}

}  // namespace

Parts take_out(const Samples& samples, Index count, Key key) {
  if (count < 0 || count >= std::max<Index>(1, samples.count)) {
    throw Error(fmt::format("[splits] expected to take 0 to {} of {} samples, received {}", samples.count - 1,
                            samples.count, count));
  }
  const auto rows = rows_by_class(samples);
  const std::vector<Index> taken = draw(rows, shares(rows, samples.count, count), key);
  std::vector<Index> kept;
  for (Index n = 0; n < samples.count; ++n) {
    if (!std::ranges::binary_search(taken, n)) kept.push_back(n);
  }
  return {samples.picked(kept), samples.picked(taken)};
}

Samples draw_labelled(const Samples& samples, Index count, Key key) {
  const auto rows = labelled_rows(samples);
  const auto classes = static_cast<Index>(rows.size());
  if (count < 1 || count > samples.count)
    throw Error(fmt::format("[labels] expected 1 to {} labels, received {}", samples.count, count));
  if (count == samples.count) return samples;
  std::vector<Index> share(rows.size(), count / classes);
  const std::vector<Index> first = permutation(key.fold("first"), classes);  // who has one more
  for (Index i = 0; i < count % classes; ++i)
    ++share[static_cast<std::size_t>(first[static_cast<std::size_t>(i)])];
  for (std::size_t c = 0; c < rows.size(); ++c) {
    if (share[c] > static_cast<Index>(rows[c].size())) {
      const Index most = most_labelled(samples);
      const std::string fewer = most > 0 ? fmt::format("take {} labels or fewer, or all", most)
                                         : "number the classes without gaps, or take all labels";
      throw Error(fmt::format("[labels] expected {} samples of class {} among {} labels, received {}; {}",
                              share[c], c, count, rows[c].size(), fewer));
    }
  }
  return samples.picked(draw(rows, share, key));
}

Index most_labelled(const Samples& samples) {
  const auto rows = labelled_rows(samples);
  const auto least = std::ranges::min_element(rows, {}, &std::vector<Index>::size)->size();
  return static_cast<Index>(least * rows.size());
}

}  // namespace basin
