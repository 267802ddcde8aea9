#include <cairo/cairo-svg.h>
#include <cairo/cairo.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "results/files/atomic_file.h"
#include "results/pictures/axis.h"
#include "results/pictures/band.h"
#include "results/pictures/cairo_handles.h"
#include "results/pictures/pen.h"
#include "results/pictures/picture.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// Okabe and Ito 2008, "Color universal design": told apart by colour-blind readers too.
constexpr std::array<Colour, 7> kPalette = {{{0.000, 0.447, 0.698},
                                             {0.835, 0.369, 0.000},
                                             {0.000, 0.620, 0.451},
                                             {0.800, 0.475, 0.655},
                                             {0.902, 0.624, 0.000},
                                             {0.337, 0.706, 0.914},
                                             {0.000, 0.000, 0.000}}};
constexpr double kGap = kPlotGap;
constexpr std::size_t kFewPoints = 25;    // so few are marked one by one
constexpr double kLargest = 1e300;        // beyond it differences overflow
constexpr std::size_t kPointsAPixel = 4;  // more are thinned

struct Point {
  double x, y;
};

/// The curve's points that can be drawn.
std::vector<Point> drawable(const Curve& curve, const PlotOptions& options) {
  if (curve.x.size() != curve.y.size()) {
    throw Error(fmt::format("[plot] curve '{}': expected as many x as y, received {} and {}", curve.label,
                            curve.x.size(), curve.y.size()));
  }
  std::vector<Point> points;
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    const bool is_finite =
        std::abs(curve.x[i]) <= kLargest && std::abs(curve.y[i]) <= kLargest;  // false for NaN
    if (is_finite && (!options.log_x || curve.x[i] > 0) && (!options.log_y || curve.y[i] > 0)) {
      points.push_back({curve.x[i], curve.y[i]});
    }
  }
  return points;
}

/// The stretches of a curve's band that can be drawn: their lower edges, then the upper ones back.
std::vector<std::vector<Point>> outlines(const Curve& curve, const Band& band, const PlotOptions& options) {
  if (band.low.size() != curve.x.size() || band.high.size() != curve.x.size()) {
    throw Error(fmt::format("[plot] curve '{}': expected a band at all of its {} points, received {} and {}",
                            curve.label, curve.x.size(), band.low.size(), band.high.size()));
  }
  std::vector<std::vector<Point>> stretches(1);
  std::vector<Point> upper;
  const auto close = [&] {
    stretches.back().insert(stretches.back().end(), upper.rbegin(), upper.rend());
    upper.clear();
  };
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    const std::vector<Point> ends =
        drawable({.label = "", .x = {curve.x[i], curve.x[i]}, .y = {band.low[i], band.high[i]}}, options);
    if (ends.size() == 2) {
      stretches.back().push_back(ends[0]);
      upper.push_back(ends[1]);
    } else if (!upper.empty()) {
      close();
      stretches.emplace_back();
    }
  }
  close();
  return stretches;
}

/// Of many points, the lowest and highest of each run, in their order: what is seen stays.
std::vector<Point> thinned(const std::vector<Point>& points, std::size_t most) {
  if (points.size() <= most) {
    return points;
  }
  const std::size_t run = (2 * points.size() + most - 1) / most;
  std::vector<Point> kept;
  for (std::size_t begin = 0; begin < points.size(); begin += run) {
    const auto first = points.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = points.begin() + static_cast<std::ptrdiff_t>(std::min(points.size(), begin + run));
    auto [low, high] =
        std::minmax_element(first, last, [](const Point& a, const Point& b) { return a.y < b.y; });
    if (high < low) {
      std::swap(low, high);
    }
    kept.push_back(*low);
    kept.push_back(*high);
  }
  return kept;
}

class Drawing {
 public:
  Drawing(cairo_t* cairo, const PlotOptions& options) : cairo_(cairo), pen_(cairo), options_(options) {}

  void draw(const std::vector<Curve>& curves, const std::vector<Band>& bands) {
    pen_.set(Colour{1, 1, 1});
    cairo_paint(cairo_);
    std::vector<std::vector<Point>> points;
    for (const Curve& curve : curves) {
      points.push_back(drawable(curve, options_));
    }
    std::vector<std::vector<std::vector<Point>>> areas;  // of each band
    std::vector<std::vector<Point>> all = points;
    for (std::size_t i = 0; i < bands.size(); ++i) {
      areas.push_back(outlines(curves[i], bands[i], options_));
      all.insert(all.end(), areas.back().begin(), areas.back().end());
    }
    choose_axes(all);
    place_frame(curves);
    draw_grid();
    for (std::size_t i = 0; i < areas.size(); ++i) {
      for (const std::vector<Point>& area : areas[i]) fill(area, i);
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (options_.dots) {
        for (const Point& point : points[i]) draw_dot(across(point.x), down(point.y), i);
        continue;
      }
      draw_curve(thinned(points[i], kPointsAPixel * static_cast<std::size_t>(options_.width)), i);
    }
    draw_texts(curves);
  }

 private:
  void choose_axes(const std::vector<std::vector<Point>>& curves) {
    Point low{0, 0}, high{1, 1};  // of a plot without points
    bool is_first = true;
    for (const auto& points : curves) {
      for (const Point& point : points) {
        low = is_first ? point : Point{std::min(low.x, point.x), std::min(low.y, point.y)};
        high = is_first ? point : Point{std::max(high.x, point.x), std::max(high.y, point.y)};
        is_first = false;
      }
    }
    is_empty_ = is_first;
    x_ = make_axis(low.x, high.x, options_.log_x && !is_first, options_.dots ? 0.05 : 0.01,
                   std::max(2, options_.width / 110));
    if (!options_.x_ticks.empty()) {
      x_.ticks = options_.x_ticks;
      x_.labels.clear();
      for (const double tick : x_.ticks) x_.labels.push_back(fmt::format("{:.6g}", tick));
    }
    y_ = make_axis(low.y, high.y, options_.log_y, 0.05, std::max(2, options_.height / 70));
  }

  /// The room that the texts leave, and the places of the legend's entries, in lines under the title.
  void place_frame(const std::vector<Curve>& curves) {
    pen_.set_font(kTickSize);
    double widest = 0;
    for (const std::string& label : y_.labels) {
      widest = std::max(widest, pen_.width_of(label));
    }
    left_ = 2 * kGap + widest + (options_.y_label.empty() ? 0 : kTextSize + kGap);
    right_ = options_.width - 3 * kGap;
    bottom_ = options_.height - 3 * kGap - kTickSize - (options_.x_label.empty() ? 0 : kTextSize + kGap);
    top_ = options_.title.empty() ? 2 * kGap : kTitleSize + 2.5 * kGap;

    pen_.set_font(kTextSize);
    double x = left_;
    bool has_legend = false;
    for (const Curve& curve : curves) {
      const double width = kSample + kGap + pen_.width_of(curve.label) + 2 * kGap;
      if (x > left_ && x + width > right_) {
        x = left_;
        top_ += kTextSize + 0.75 * kGap;
      }
      legend_.push_back({x, top_ + kTextSize});
      has_legend = has_legend || !curve.label.empty();
      x += width;
    }
    top_ += has_legend ? kTextSize + 1.5 * kGap : 0;
    if (right_ - left_ < 20 || bottom_ - top_ < 20) {
      throw Error(fmt::format("[plot] expected room for the curves, received {} x {} pixels; make it larger",
                              options_.width, options_.height));
    }
  }

  double across(double x) const { return left_ + (right_ - left_) * x_.place(x); }
  double down(double y) const { return bottom_ - (bottom_ - top_) * y_.place(y); }

  void line(double x0, double y0, double x1, double y1, double width) {
    // On the middle of pixels: a line one pixel wide then fills one row of them.
    cairo_move_to(cairo_, std::floor(x0) + 0.5, std::floor(y0) + 0.5);
    cairo_line_to(cairo_, std::floor(x1) + 0.5, std::floor(y1) + 0.5);
    cairo_set_line_width(cairo_, width);
    cairo_stroke(cairo_);
  }

  void draw_grid() {
    pen_.set_font(kTickSize);
    for (std::size_t i = 0; i < x_.ticks.size(); ++i) {
      const double x = across(x_.ticks[i]);
      pen_.set(kGrid);
      line(x, top_, x, bottom_, 1);
      pen_.set(kFrame);
      line(x, bottom_, x, bottom_ + 4, 1);
      pen_.set(kInk);
      pen_.write(x_.labels[i], x, bottom_ + kGap + kTickSize, Align::Centre);
    }
    for (std::size_t i = 0; i < y_.ticks.size(); ++i) {
      const double y = down(y_.ticks[i]);
      pen_.set(kGrid);
      line(left_, y, right_, y, 1);
      pen_.set(kFrame);
      line(left_ - 4, y, left_, y, 1);
      pen_.set(kInk);
      pen_.write(y_.labels[i], left_ - kGap, y + 0.36 * kTickSize, Align::Right);
    }
    pen_.set(kFrame);
    line(left_, top_, left_, bottom_, 1);
    line(left_, bottom_, right_, bottom_, 1);
  }

  /// Colour and dashes of curve i: every colour unbroken first.
  void set_pen(std::size_t i) {
    pen_.set(kPalette[i % kPalette.size()]);
    const double dash = 6.0 / static_cast<double>(std::max<std::size_t>(1, i / kPalette.size()));
    cairo_set_dash(cairo_, &dash, i < kPalette.size() ? 0 : 1, 0);
    cairo_set_line_width(cairo_, 1.8);
    cairo_set_line_join(cairo_, CAIRO_LINE_JOIN_ROUND);
  }

  void fill(const std::vector<Point>& outline, std::size_t i) {
    if (outline.empty()) return;
    const Colour& colour = kPalette[i % kPalette.size()];
    cairo_save(cairo_);
    cairo_set_source_rgba(cairo_, colour.red, colour.green, colour.blue, 0.18);
    cairo_new_path(cairo_);
    for (const Point& point : outline) cairo_line_to(cairo_, across(point.x), down(point.y));
    cairo_close_path(cairo_);
    cairo_fill(cairo_);
    cairo_restore(cairo_);
  }

  void draw_curve(const std::vector<Point>& points, std::size_t i) {
    if (points.empty()) {
      return;
    }
    cairo_save(cairo_);
    set_pen(i);
    cairo_new_path(cairo_);
    for (const Point& point : points) {
      cairo_line_to(cairo_, across(point.x), down(point.y));
    }
    cairo_stroke(cairo_);
    if (points.size() <= kFewPoints) {
      for (const Point& point : points) {
        cairo_arc(cairo_, across(point.x), down(point.y), 2.6, 0, 2 * M_PI);
        cairo_fill(cairo_);
      }
    }
    cairo_restore(cairo_);
  }

  /// A mark of points i: every colour as a disc, then as a ring, then as a smaller disc.
  void draw_dot(double x, double y, std::size_t i) {
    const std::size_t round = i / kPalette.size();
    cairo_save(cairo_);
    pen_.set(kPalette[i % kPalette.size()]);
    cairo_set_line_width(cairo_, 1.2);
    cairo_new_path(cairo_);
    cairo_arc(cairo_, x, y, round == 2 ? 1.4 : 2.8, 0, 2 * M_PI);
    if (round == 1) {
      cairo_stroke(cairo_);
    } else {
      cairo_fill(cairo_);
    }
    cairo_restore(cairo_);
  }

  void draw_texts(const std::vector<Curve>& curves) {
    write_titles(pen_, {options_.title, options_.x_label, options_.y_label},
                 {left_, right_, top_, bottom_, static_cast<double>(options_.height)});
    if (is_empty_) {
      pen_.write("no finite values", (left_ + right_) / 2, (top_ + bottom_) / 2, Align::Centre);
    }
    for (std::size_t i = 0; i < curves.size(); ++i) {
      if (!curves[i].label.empty() && options_.dots) {
        draw_dot(legend_[i].x + 0.5 * kSample, legend_[i].y - 0.35 * kTextSize, i);
        pen_.write(curves[i].label, legend_[i].x + kSample + kGap, legend_[i].y, Align::Left);
      } else if (!curves[i].label.empty()) {
        cairo_save(cairo_);
        set_pen(i);
        cairo_set_line_width(cairo_, 3);
        cairo_move_to(cairo_, legend_[i].x, legend_[i].y - 0.35 * kTextSize);
        cairo_rel_line_to(cairo_, kSample, 0);
        cairo_stroke(cairo_);
        cairo_restore(cairo_);
        pen_.write(curves[i].label, legend_[i].x + kSample + kGap, legend_[i].y, Align::Left);
      }
    }
  }

  static constexpr double kSample = 20;  // length of a pen's sample in the legend

  cairo_t* cairo_;
  Pen pen_;
  const PlotOptions& options_;
  Axis x_, y_;
  bool is_empty_ = false;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;
  std::vector<Point> legend_;
};

cairo_status_t append(void* out, const unsigned char* bytes, unsigned int count) {
  return static_cast<cairo_status_t>(append_to_string(out, bytes, count));
}

}  // namespace

void save_plot(const std::vector<Curve>& curves, const PlotOptions& options, const std::string& path) {
  save_plot(curves, {}, options, path);
}

void save_plot(const std::vector<Curve>& curves, const std::vector<Band>& bands, const PlotOptions& options,
               const std::string& path) {
  const std::string who = "[plot] " + path;
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension != ".svg" && extension != ".png") {
    throw Error(fmt::format("{}: expected a name that ends in .svg or .png", who));
  }
  if (curves.empty()) {
    throw Error(fmt::format("{}: expected at least one curve, received none", who));
  }
  if (!bands.empty() && bands.size() != curves.size()) {
    throw Error(fmt::format("{}: expected a band for each of {} curves, received {}", who, curves.size(),
                            bands.size()));
  }
  std::string bytes;
  {
    const bool is_png = extension == ".png";
    const CairoSurface surface(
        is_png ? cairo_image_surface_create(CAIRO_FORMAT_RGB24, options.width, options.height)
               : cairo_svg_surface_create_for_stream(append, &bytes, options.width, options.height));
    check_cairo(cairo_surface_status(surface.get()), who);
    const CairoContext context(cairo_create(surface.get()));
    Drawing(context.get(), options).draw(curves, bands);
    check_cairo(cairo_status(context.get()), who);
    if (is_png) {
      check_cairo(cairo_surface_write_to_png_stream(surface.get(), append, &bytes), who);
    }
    cairo_surface_finish(surface.get());
    check_cairo(cairo_surface_status(surface.get()), who);
  }
  write_atomically(path, bytes);
}

}  // namespace basin
