#include "data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/fill_batch.h"
#include "tensor/error.h"

namespace basin {

Samples::Samples(std::initializer_list<Column> given) {
  for (const Column& column : given) add(column);
}

Samples::Samples(const Tensor& values) : Samples{real_column("samples", values)} {}

Samples& Samples::add(Column column) {
  if (find(column.name()) != nullptr)
    throw Error(
        fmt::format("[samples] expected columns of different names, received '{}' twice", column.name()));
  if (!columns.empty() && column.count() != count) {
    throw Error(fmt::format("[samples] expected {} samples as of column '{}', received {} of '{}'", count,
                            columns.front().name(), column.count(), column.name()));
  }
  count = column.count();
  columns.push_back(std::move(column));
  return *this;
}

const Column* Samples::find(const std::string& name) const {
  const auto found = std::ranges::find(columns, name, &Column::name);
  return found == columns.end() ? nullptr : &*found;
}

const Column& Samples::operator[](const std::string& name) const {
  if (const Column* column = find(name)) return *column;
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name());
  throw Error(fmt::format("[samples] expected a column '{}', received {}", name,
                          names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

const Column& Samples::first() const {
  if (columns.empty()) throw Error("[samples] expected samples of at least one column, received none");
  return columns.front();
}

const Column* Samples::labels() const {
  const auto found = std::ranges::find_if(
      columns, [](const Column& column) { return column.classes() > 0 && column.sample_size() == 1; });
  return found == columns.end() ? nullptr : &*found;
}

Samples Samples::head(Index n) const {
  if (n < 0 || n > count)
    throw Error(fmt::format("[samples] expected to take 0 to {} samples, received {}", count, n));
  Samples some;
  for (const Column& column : columns) some.add(column.head(n));
  return some;
}

Samples Samples::picked(std::span<const Index> rows) const {
  Samples some;
  for (const Column& column : columns) some.add(column.picked(rows));
  return some;
}

double best_log_likelihood(const Samples& samples) {
  const auto size = static_cast<std::size_t>(samples.sample_size());
  std::vector<Index> order(static_cast<std::size_t>(samples.count));
  std::iota(order.begin(), order.end(), Index{0});
  std::vector<std::uint8_t> read;
  if (!samples.first().in_memory() && samples.first().kind() == ColumnKind::Bytes) {
    read.resize(order.size() * size);
    samples.first().gather(order, read.data());
  }
  const std::span<const std::uint8_t> pixels = read.empty() ? samples.pixels() : read;
  const auto sample = [&](Index n) { return pixels.subspan(static_cast<std::size_t>(n) * size, size); };
  std::sort(order.begin(), order.end(),
            [&](Index a, Index b) { return std::ranges::lexicographical_compare(sample(a), sample(b)); });
  double sum = 0.0;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && std::ranges::equal(sample(order[begin]), sample(order[end]))) ++end;
    const auto equal = static_cast<double>(end - begin);
    sum += equal * std::log(equal / static_cast<double>(order.size()));
  }
  return order.empty() ? 0.0 : sum / static_cast<double>(order.size());
}

bool in_unit_interval(const Samples& samples) {
  constexpr Index kTogether = 1000;
  if (!samples.is_real()) return true;
  for (Index first = 0; first < samples.count; first += kTogether) {
    std::vector<Index> rows(static_cast<std::size_t>(std::min(kTogether, samples.count - first)));
    std::iota(rows.begin(), rows.end(), first);
    const Tensor numbers({static_cast<Index>(rows.size()), samples.sample_size()});
    fill_batch(samples.first(), rows, {}, numbers);
    const float* begin = numbers.host<float>();
    if (!std::all_of(begin, begin + numbers.size(), [](float x) { return x >= 0.0f && x <= 1.0f; }))
      return false;
  }
  return true;
}

}  // namespace basin
