#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace basin {

/// An 8-bit picture, row-major, channels interleaved.
struct Picture {
  int width = 0, height = 0, channels = 1;  // 1 grey, 3 RGB
  std::vector<std::uint8_t> pixels;
};

/// Writes PNG beside the target, then renames. Throws Error when the file cannot be written, or when the
/// pixels do not fill the picture or a side is beyond 32767.
void save_png(const Picture& picture, const std::string& path);

/// Reads any PNG; grey when all its pixels are. Throws Error.
Picture load_png(const std::string& path);

enum class TileScale { PerTile, Global };

struct TileOptions {
  int height = 0, width = 0;  // of one tile in pixels; 0 = the squarest shape that fits
  int channels = 1;           // 3: planes of red, green and blue, one after another
  bool is_signed = true;      // zero is mid-grey; else 0 is black and 1 is white
  TileScale scale =
      TileScale::PerTile;     // signed tiles: divided by their own or by the common largest |value|
  bool sort_by_norm = false;  // largest first
  int columns = 0;            // 0 = about square
  int zoom = 2;               // screen pixels a pixel, or as many more
  int least_width = 0;        // as make the picture so wide
  int limit = 0;              // at most so many tiles (after sorting); 0 = all
};

/// Tiles of the rows of [count, pixels...] as one picture with a border of one screen pixel around each.
///
/// Signed: 128 + 127 v / max|v|, so that zero is 128 whatever the range; else 255 v with v cut to [0, 1]. NaN
/// is drawn as zero, an infinity as the largest value. Throws Error when there are no tiles, or no height x
/// width that makes up a row.
Picture tile(const Tensor& rows, const TileOptions& options = {});
/// The tiles alone, each a picture of its own, a screen pixel a pixel, in the order of the rows.
std::vector<Picture> small_pictures(const Tensor& rows, const TileOptions& options = {});

/// Numbers as pictures are made of: f32 on the host.
Tensor on_host(const Tensor& numbers);

/// Tile options with the height and width of a sample of this shape, [height, width], or of one or three
/// channels, [channels, height, width].
TileOptions sized(TileOptions options, const Shape& sample_shape);

/// Rows of tiles in which tile c of each row is about the same sample: divides each by the largest |number|
/// of tile c of the first row and cuts to [-1, 1], so that under TileScale::Global the tiles of a sample
/// share its grey levels. `tiles` is [rows * columns, ...] on the host in f32, changed in place.
void share_grey_levels(const Tensor& tiles, Index columns);

/// One curve of a plot; x and y of equal length, non-finite points are left out.
struct Curve {
  std::string label;
  std::vector<double> x, y;
};

struct PlotOptions {
  std::string title, x_label, y_label;
  int width = 800, height = 480;
  bool log_y = false;  // points with y <= 0 are left out
  bool log_x = false;
  std::vector<double> x_ticks = {};  // marked values of x; none: round numbers
  bool dots = false;                 // points that no line joins, with room around them
};

/// A line plot with axes, ticks, labels and a legend, by the extension of `path`: .svg or .png. Throws Error.
void save_plot(const std::vector<Curve>& curves, const PlotOptions& options, const std::string& path);

}  // namespace basin
