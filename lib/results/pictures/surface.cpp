#include "results/pictures/surface.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "results/pictures/axis.h"
#include "results/pictures/canvas.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr double kGap = kPlotGap;
constexpr int kBands = 20;  // between contours
constexpr Colour kMark = {0.835, 0.369, 0.000};

/// Between the four corners around (x, y), in steps of the grid.
double interpolated(const Surface& surface, double x, double y) {
  const std::size_t side = surface.side();
  const auto i = std::min(static_cast<std::size_t>(x), side - 2),
             j = std::min(static_cast<std::size_t>(y), side - 2);
  const double u = x - static_cast<double>(i), v = y - static_cast<double>(j);
  const auto h = [&](std::size_t a, std::size_t b) { return surface.heights[b * side + a]; };
  return (1 - v) * ((1 - u) * h(i, j) + u * h(i + 1, j)) + v * ((1 - u) * h(i, j + 1) + u * h(i + 1, j + 1));
}

/// From dark blue over green to yellow, evenly lighter: about the map viridis (Smith, van der Walt 2015).
Colour height_colour(double share) {
  constexpr std::array<Colour, 5> kStops = {{{0.267, 0.005, 0.329},
                                             {0.229, 0.322, 0.546},
                                             {0.128, 0.567, 0.551},
                                             {0.369, 0.789, 0.383},
                                             {0.993, 0.906, 0.144}}};
  const double at = std::clamp(share, 0.0, 1.0) * (kStops.size() - 1);
  const auto i = std::min(static_cast<std::size_t>(at), kStops.size() - 2);
  const double u = at - static_cast<double>(i);
  const auto mix = [&](double a, double b) { return (1 - u) * a + u * b; };
  return {mix(kStops[i].red, kStops[i + 1].red), mix(kStops[i].green, kStops[i + 1].green),
          mix(kStops[i].blue, kStops[i + 1].blue)};
}

/// The field of colours and contours, width x height.
Picture field(const Surface& surface, int width, int height) {
  const auto range = std::ranges::minmax(surface.heights);
  const double least = range.min, most = range.max;
  const double steps = static_cast<double>(surface.side() - 1);
  const auto root = [&](int x, int y) {
    const double h = interpolated(surface, steps * (x + 0.5) / width, steps * (1 - (y + 0.5) / height));
    return most > least ? std::sqrt((h - least) / (most - least)) : 0.0;
  };
  const auto band = [](double share) { return static_cast<int>(share * kBands); };
  Picture picture{width, height, 3, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double share = root(x, y);
      const bool is_contour = (x + 1 < width && band(root(x + 1, y)) != band(share)) ||
                              (y + 1 < height && band(root(x, y + 1)) != band(share));
      const Colour colour = height_colour((band(share) + 0.5) / kBands);
      const double dim = is_contour ? 0.6 : 1.0;
      for (const double c : {colour.red, colour.green, colour.blue})
        picture.pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * dim * c)));
    }
  }
  return picture;
}

}  // namespace

std::size_t Surface::side() const {
  const auto n = static_cast<std::size_t>(std::llround(std::sqrt(static_cast<double>(heights.size()))));
  if (n < 2 || n * n != heights.size())
    throw Error(fmt::format("[surface] expected heights of a square grid of 2 x 2 or more, received {}",
                            heights.size()));
  return n;
}

Picture surface_picture(const Surface& surface, const SurfaceOptions& options) {
  (void)surface.side();
  if (!std::ranges::all_of(surface.heights, [](double h) { return std::isfinite(h); }))
    throw Error("[surface] expected finite heights, received others; show a smaller part of the plane");
  const Canvas canvas(options.width, options.height);
  const Pen& pen = canvas.pen();
  const Axis axis = make_axis(surface.low, surface.high, false, 0.0, 7);
  const bool framed = options.is_framed;
  const int left = framed ? 70 : 0, right = options.width - (framed ? 20 : 0), top = framed ? 40 : 0,
            bottom = options.height - (framed ? 56 : 0);
  const auto across = [&](double x) { return left + (right - left) * axis.place(x); };
  const auto down = [&](double y) { return bottom - (bottom - top) * axis.place(y); };
  canvas.paste(field(surface, right - left, bottom - top), left, top, 1);
  pen.set_font(kTickSize);
  for (std::size_t i = 0; framed && i < axis.ticks.size(); ++i) {
    const double x = across(axis.ticks[i]), y = down(axis.ticks[i]);
    canvas.line(kFrame, x, bottom, x, bottom + 4);
    canvas.line(kFrame, left - 4, y, left, y);
    pen.set(kInk);
    pen.write(axis.labels[i], x, bottom + kGap + kTickSize, Align::Centre);
    pen.write(axis.labels[i], left - kGap, y + 0.36 * kTickSize, Align::Right);
  }
  for (const auto& [x, y] : options.marks) {
    if (x < surface.low || x > surface.high || y < surface.low || y > surface.high) continue;
    const double side = options.mark_size, left_edge = across(x) - side / 2.0,
                 top_edge = down(y) - side / 2.0;
    if (options.mark_size >= 4) canvas.fill({1, 1, 1}, left_edge - 1, top_edge - 1, side + 2, side + 2);
    canvas.fill(kMark, left_edge, top_edge, side, side);
  }
  if (!framed) return canvas.picture();
  write_titles(pen, {options.title, options.x_label, options.y_label},
               {static_cast<double>(left), static_cast<double>(right), static_cast<double>(top),
                static_cast<double>(bottom), static_cast<double>(options.height)});
  return canvas.picture();
}

}  // namespace basin
