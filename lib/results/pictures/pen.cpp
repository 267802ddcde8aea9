#include "results/pictures/pen.h"

#include <cairo/cairo.h>

#include <cmath>

namespace basin {

void Pen::set(const Colour& colour) const {
  cairo_set_source_rgb(cairo_, colour.red, colour.green, colour.blue);
}

void Pen::set_font(double size, Weight weight) const {
  cairo_select_font_face(cairo_, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         weight == Weight::Bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cairo_, size);
}

double Pen::width_of(const std::string& text) const {
  cairo_text_extents_t extents;
  cairo_text_extents(cairo_, text.c_str(), &extents);
  return extents.x_advance;
}

void Pen::write(const std::string& text, double x, double y, Align align) const {
  const double share = align == Align::Left ? 0 : align == Align::Centre ? 0.5 : 1;
  cairo_move_to(cairo_, x - share * width_of(text), y);
  cairo_show_text(cairo_, text.c_str());
}

void Pen::write_upwards(const std::string& text, double x, double y) const {
  cairo_save(cairo_);
  cairo_translate(cairo_, x, y);
  cairo_rotate(cairo_, -M_PI / 2);
  write(text, 0, 0, Align::Centre);
  cairo_restore(cairo_);
}

void write_titles(const Pen& pen, const PlotTitles& titles, const PlotFrame& frame) {
  pen.set(kInk);
  pen.set_font(kTitleSize, Weight::Bold);
  pen.write(titles.title, frame.left, kTitleSize + kPlotGap, Align::Left);
  pen.set_font(kTextSize);
  pen.write(titles.x_label, (frame.left + frame.right) / 2, frame.page_height - 1.5 * kPlotGap,
            Align::Centre);
  pen.write_upwards(titles.y_label, kPlotGap + kTextSize, (frame.top + frame.bottom) / 2);
}

}  // namespace basin
