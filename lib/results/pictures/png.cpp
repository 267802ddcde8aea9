#include <cairo/cairo.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "results/files/atomic_file.h"
#include "results/pictures/cairo_handles.h"
#include "results/pictures/picture.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr int kLongestSide = 32767;  // cairo's limit

/// Bytes that a PNG reader takes from the front.
struct Source {
  std::string bytes;
  std::size_t at = 0;
};

cairo_status_t take(void* from, unsigned char* out, unsigned int count) {
  Source& source = *static_cast<Source*>(from);
  if (count > source.bytes.size() - source.at) {
    return CAIRO_STATUS_READ_ERROR;
  }
  std::memcpy(out, source.bytes.data() + source.at, count);
  source.at += count;
  return CAIRO_STATUS_SUCCESS;
}

cairo_status_t append(void* out, const unsigned char* bytes, unsigned int count) {
  return static_cast<cairo_status_t>(append_to_string(out, bytes, count));
}

}  // namespace

void CairoRelease::operator()(_cairo* context) const { cairo_destroy(context); }
void CairoRelease::operator()(_cairo_surface* surface) const { cairo_surface_destroy(surface); }

void check_cairo(int status, const std::string& who) {
  if (status != CAIRO_STATUS_SUCCESS) {
    throw Error(fmt::format("{}: {}", who, cairo_status_to_string(static_cast<cairo_status_t>(status))));
  }
}

int append_to_string(void* out, const unsigned char* bytes, unsigned int count) {
  static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(bytes), count);
  return CAIRO_STATUS_SUCCESS;
}

void save_png(const Picture& picture, const std::string& path) {
  const auto [width, height, channels] = std::tuple(picture.width, picture.height, picture.channels);
  const bool fits = width > 0 && height > 0 && width <= kLongestSide && height <= kLongestSide &&
                    (channels == 1 || channels == 3) &&
                    picture.pixels.size() == static_cast<std::size_t>(width) *
                                                 static_cast<std::size_t>(height) *
                                                 static_cast<std::size_t>(channels);
  if (!fits) {
    throw Error(
        fmt::format("[png] {}: expected 1 or 3 channels, sides of 1 to {} and a pixel for each place, "
                    "received {} x {} x {} and {} bytes",
                    path, kLongestSide, width, height, channels, picture.pixels.size()));
  }
  // Cairo has no grey surface, but writes one of opacities as a grey PNG.
  const cairo_format_t format = channels == 1 ? CAIRO_FORMAT_A8 : CAIRO_FORMAT_RGB24;
  const CairoSurface surface(cairo_image_surface_create(format, width, height));
  check_cairo(cairo_surface_status(surface.get()), "[png] " + path);
  unsigned char* row = cairo_image_surface_get_data(surface.get());
  const std::uint8_t* from = picture.pixels.data();
  for (int y = 0; y < height; ++y, row += cairo_image_surface_get_stride(surface.get())) {
    for (int x = 0; x < width; ++x, from += channels) {
      if (channels == 1) {
        row[x] = *from;
      } else {
        const std::uint32_t colour = (std::uint32_t{from[0]} << 16) | (std::uint32_t{from[1]} << 8) | from[2];
        std::memcpy(row + 4 * x, &colour, sizeof colour);
      }
    }
  }
  cairo_surface_mark_dirty(surface.get());
  std::string bytes;
  check_cairo(cairo_surface_write_to_png_stream(surface.get(), append, &bytes), "[png] " + path);
  write_atomically(path, bytes);
}

Picture picture_of(_cairo_surface* surface) {
  cairo_surface_flush(surface);
  Picture picture{cairo_image_surface_get_width(surface), cairo_image_surface_get_height(surface), 1, {}};
  const int stride = cairo_image_surface_get_stride(surface);
  const auto each = [&](auto use) {  // every pixel's red, green and blue
    const unsigned char* row = cairo_image_surface_get_data(surface);
    for (int y = 0; y < picture.height; ++y, row += stride) {
      for (int x = 0; x < picture.width; ++x) {
        std::uint32_t colour = 0;
        std::memcpy(&colour, row + std::ptrdiff_t{4} * x, sizeof colour);
        use(static_cast<std::uint8_t>(colour >> 16), static_cast<std::uint8_t>(colour >> 8),
            static_cast<std::uint8_t>(colour));
      }
    }
  };
  bool is_grey = true;
  each([&](std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
    is_grey = is_grey && red == blue && green == blue;
  });
  picture.channels = is_grey ? 1 : 3;
  picture.pixels.reserve(static_cast<std::size_t>(picture.channels) *
                         static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height));
  each([&](std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
    picture.pixels.push_back(red);
    if (!is_grey) picture.pixels.insert(picture.pixels.end(), {green, blue});
  });
  return picture;
}

Picture load_png(const std::string& path) {
  Source source{read_whole(path)};
  const CairoSurface surface(cairo_image_surface_create_from_png_stream(take, &source));
  check_cairo(cairo_surface_status(surface.get()), fmt::format("[png] {}: expected a PNG picture", path));
  return picture_of(surface.get());
}

}  // namespace basin
