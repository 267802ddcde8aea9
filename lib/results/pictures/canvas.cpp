#include "results/pictures/canvas.h"

#include <cairo/cairo.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "tensor/error.h"

namespace basin {
namespace {

constexpr double kLongestSide = 32767;  // cairo's limit

CairoSurface page(double width, double height) {
  if (!(width >= 1 && height >= 1 && width <= kLongestSide && height <= kLongestSide)) {
    throw Error(fmt::format("[canvas] expected sides of 1 to {} pixels, received {:.0f} x {:.0f}; show less",
                            kLongestSide, width, height));
  }
  return CairoSurface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(width)),
                                                 static_cast<int>(std::ceil(height))));
}

}  // namespace

Canvas::Canvas(double width, double height)
    : width_(static_cast<int>(std::ceil(width))),
      height_(static_cast<int>(std::ceil(height))),
      surface_(page(width, height)),
      context_(cairo_create(surface_.get())),
      pen_(context_.get()) {
  check_cairo(cairo_status(context_.get()), "[canvas]");
  pen_.set({1, 1, 1});
  cairo_paint(context_.get());
}

void Canvas::fill(const Colour& colour, double x, double y, double width, double height) const {
  pen_.set(colour);
  cairo_rectangle(context_.get(), x, y, width, height);
  cairo_fill(context_.get());
}

void Canvas::line(const Colour& colour, double x0, double y0, double x1, double y1) const {
  pen_.set(colour);
  cairo_set_line_width(context_.get(), 1);
  cairo_move_to(context_.get(), std::floor(x0) + 0.5, std::floor(y0) + 0.5);
  cairo_line_to(context_.get(), std::floor(x1) + 0.5, std::floor(y1) + 0.5);
  cairo_stroke(context_.get());
}

void Canvas::paste(const Picture& picture, int x, int y, int zoom) const {
  if (x < 0 || y < 0 || zoom < 1 || x + picture.width * zoom > width_ ||
      y + picture.height * zoom > height_) {
    throw Error(fmt::format("[canvas] expected a picture inside {} x {}, received {} x {} at ({}, {})",
                            width_, height_, picture.width * zoom, picture.height * zoom, x, y));
  }
  cairo_surface_flush(surface_.get());
  const int stride = cairo_image_surface_get_stride(surface_.get());
  unsigned char* all = cairo_image_surface_get_data(surface_.get());
  for (int j = 0; j < picture.height * zoom; ++j) {
    unsigned char* row = all + std::ptrdiff_t{y + j} * stride;
    for (int i = 0; i < picture.width * zoom; ++i) {
      const std::uint8_t* from =
          picture.pixels.data() + (std::ptrdiff_t{j / zoom} * picture.width + i / zoom) * picture.channels;
      const int green = picture.channels == 3 ? 1 : 0, blue = picture.channels == 3 ? 2 : 0;
      const std::uint32_t colour =
          (std::uint32_t{from[0]} << 16) | (std::uint32_t{from[green]} << 8) | from[blue];
      std::memcpy(row + std::ptrdiff_t{4} * (x + i), &colour, sizeof colour);
    }
  }
  cairo_surface_mark_dirty(surface_.get());
}

Picture Canvas::picture() const {
  check_cairo(cairo_status(context_.get()), "[canvas]");
  return picture_of(surface_.get());
}

}  // namespace basin
