#pragma once

#include "results/pictures/cairo_handles.h"
#include "results/pictures/pen.h"
#include "results/pictures/picture.h"

namespace basin {

/// A white page to draw on that becomes a Picture.
class Canvas {
 public:
  /// Throws Error for sides that no PNG has.
  Canvas(double width, double height);

  const Pen& pen() const { return pen_; }
  int width() const { return width_; }
  int height() const { return height_; }
  void fill(const Colour& colour, double x, double y, double width, double height) const;
  /// One pixel wide, on whole pixels.
  void line(const Colour& colour, double x0, double y0, double x1, double y1) const;
  /// Each pixel of the picture as zoom x zoom, from (x, y) on. Throws Error where it does not fit.
  void paste(const Picture& picture, int x, int y, int zoom) const;
  Picture picture() const;

 private:
  int width_, height_;
  CairoSurface surface_;
  CairoContext context_;
  Pen pen_;
};

}  // namespace basin
