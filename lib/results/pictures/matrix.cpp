#include "results/pictures/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "results/pictures/canvas.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr double kMargin = 10, kGap = 6;
constexpr Colour kBlue = {0.000, 0.447, 0.698}, kRed = {0.835, 0.369, 0.000};
constexpr std::size_t kMostNumbers = 40;  // rows of which numbers can be read

Colour mixed(const Colour& colour, double share) {
  const auto part = [&](double c) { return 1.0 + share * (c - 1.0); };
  return {part(colour.red), part(colour.green), part(colour.blue)};
}

}  // namespace

Picture matrix_picture(const std::vector<std::int64_t>& counts, const MatrixOptions& options) {
  const auto n = static_cast<std::size_t>(std::llround(std::sqrt(static_cast<double>(counts.size()))));
  if (n == 0 || n * n != counts.size() || (!options.names.empty() && options.names.size() != n)) {
    throw Error(fmt::format("[matrix] expected a square of numbers and a name a row, received {} and {}",
                            counts.size(), options.names.size()));
  }
  std::vector<std::string> names = options.names;
  for (std::size_t i = names.size(); i < n; ++i) names.push_back(std::to_string(i));
  const Canvas scratch(1, 1);
  scratch.pen().set_font(kTextSize);
  double widest_name = 0, widest = 0;
  for (const std::string& name : names) widest_name = std::max(widest_name, scratch.pen().width_of(name));
  for (const std::int64_t count : counts)
    widest = std::max(widest, scratch.pen().width_of(std::to_string(count)));
  const bool has_numbers = n <= kMostNumbers;
  const double cell_width = has_numbers ? std::max(widest, widest_name) + 2 * kGap : 8;
  const double cell_height = has_numbers ? 26 : 8;
  const double left = kMargin + kTextSize + kGap + widest_name + kGap;
  const double title = options.title.empty() ? 0 : kTitleSize + 2 * kGap;
  const double top = kMargin + title + 2 * (kTextSize + kGap);
  const auto side = static_cast<double>(n);
  scratch.pen().set_font(kTitleSize, Weight::Bold);
  const double width = std::max({left + side * cell_width + kMargin, static_cast<double>(options.least_width),
                                 2 * kMargin + scratch.pen().width_of(options.title)});
  const Canvas canvas(width, top + side * cell_height + kMargin);
  const Pen& pen = canvas.pen();
  pen.set(kInk);
  pen.set_font(kTitleSize, Weight::Bold);
  pen.write(options.title, kMargin, kMargin + kTitleSize, Align::Left);
  pen.set_font(kTextSize);
  pen.write(options.column_label, left + side * cell_width / 2, top - kTextSize - 2 * kGap, Align::Centre);
  pen.write_upwards(options.row_label, kMargin + kTextSize, top + side * cell_height / 2);

  std::int64_t most_wrong = 1;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (i / n != i % n) most_wrong = std::max(most_wrong, counts[i]);
  }
  for (std::size_t row = 0; row < n; ++row) {
    const double y = top + static_cast<double>(row) * cell_height,
                 line = y + 0.5 * cell_height + 0.36 * kTextSize;
    const auto begin = counts.begin() + static_cast<std::ptrdiff_t>(row * n);
    const auto total = std::max<std::int64_t>(
        1, std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(n), std::int64_t{0}));
    for (std::size_t column = 0; column < n; ++column) {
      const double x = left + static_cast<double>(column) * cell_width;
      const std::int64_t count = counts[row * n + column];
      const bool is_right = row == column;
      const double share = static_cast<double>(count) / static_cast<double>(is_right ? total : most_wrong);
      canvas.fill(mixed(is_right ? kBlue : kRed, 0.85 * share), x, y, cell_width, cell_height);
      pen.set(share > 0.6 ? Colour{1, 1, 1} : kInk);
      if (has_numbers && count != 0)
        pen.write(std::to_string(count), x + cell_width / 2, line, Align::Centre);
    }
    pen.set(kInk);
    if (has_numbers) {
      pen.write(names[row], left - kGap, line, Align::Right);
      pen.write(names[row], left + (static_cast<double>(row) + 0.5) * cell_width, top - kGap, Align::Centre);
    }
  }
  for (std::size_t i = 0; i <= n; ++i) {
    const double at = static_cast<double>(i);
    const Colour& colour = i == 0 || i == n ? kFrame : kGrid;
    canvas.line(colour, left, top + at * cell_height, left + side * cell_width, top + at * cell_height);
    canvas.line(colour, left + at * cell_width, top, left + at * cell_width, top + side * cell_height);
  }
  return canvas.picture();
}

}  // namespace basin
