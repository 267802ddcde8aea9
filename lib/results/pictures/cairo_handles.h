#pragma once

#include <memory>
#include <string>

struct _cairo;
struct _cairo_surface;

namespace basin {

/// Cairo's drawing context and surface, which release themselves.
struct CairoRelease {
  void operator()(_cairo* context) const;
  void operator()(_cairo_surface* surface) const;
};
using CairoContext = std::unique_ptr<_cairo, CairoRelease>;
using CairoSurface = std::unique_ptr<_cairo_surface, CairoRelease>;

/// Cairo's status as an Error "[who] ..."; nothing when it is success.
void check_cairo(int status, const std::string& who);

struct Picture;
/// What a surface of pixels shows; grey when all its pixels are.
Picture picture_of(_cairo_surface* surface);

/// For cairo's stream functions: appends to the std::string behind `out`; returns success.
int append_to_string(void* out, const unsigned char* bytes, unsigned int count);

}  // namespace basin
