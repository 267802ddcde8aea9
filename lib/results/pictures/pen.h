#pragma once

#include <string>

struct _cairo;

namespace basin {

struct Colour {
  double red, green, blue;
};

/// Of frames, words and grids of all plots.
inline constexpr Colour kInk = {0.15, 0.15, 0.15}, kGrid = {0.90, 0.90, 0.90}, kFrame = {0.45, 0.45, 0.45};
inline constexpr double kTitleSize = 15, kTextSize = 12.5, kTickSize = 11.5;
inline constexpr double kPlotGap = 8;  // between the words of a plot

enum class Align { Left, Centre, Right };
enum class Weight { Plain, Bold };

/// Colours and words on a drawing context of cairo's, which outlives it.
class Pen {
 public:
  explicit Pen(_cairo* cairo) : cairo_(cairo) {}

  void set(const Colour& colour) const;
  void set_font(double size, Weight weight = Weight::Plain) const;
  double width_of(const std::string& text) const;
  /// Puts the text's left end, middle or right end at x, its base line at y.
  void write(const std::string& text, double x, double y, Align align) const;
  /// Centred at y, read from below.
  void write_upwards(const std::string& text, double x, double y) const;

 private:
  _cairo* cairo_;
};

/// Where the frame of a plot stands on its page, in pixels.
struct PlotFrame {
  double left = 0, right = 0, top = 0, bottom = 0, page_height = 0;
};
/// The title of a plot in bold at the upper left, and what its axes show, below the frame and left of it.
struct PlotTitles {
  std::string title, x_label, y_label;
};
void write_titles(const Pen& pen, const PlotTitles& titles, const PlotFrame& frame);

}  // namespace basin
