#pragma once

#include <string>
#include <vector>

#include "results/pictures/picture.h"

namespace basin {

/// Small pictures of one size, row by row, with words around them.
struct SheetPart {
  std::string heading = {};  // above all; "": none
  std::vector<Picture> pictures = {};
  int columns = 1;                         // pictures of a row
  std::vector<std::string> captions = {};  // below each picture; none, or as many
  std::vector<std::string> rows = {};      // left of each row; none, or as many as rows
};

/// What grey levels mean, in words.
struct GreyScale {
  std::string black = {}, grey = {}, white = {};
};

struct SheetOptions {
  std::string title = {};
  GreyScale scale = {};   // below all as a bar; none where it says nothing of white
  int zoom = 1;           // screen pixels a pixel, at least
  int side = 60;          // pictures whose longer side is less are drawn about so large
  int least_width = 300;  // of the whole
};

/// Parts below one another under a title, on white. Throws Error for a part without pictures, for pictures of
/// different sizes in one, and for words that are more or fewer.
Picture sheet(const std::vector<SheetPart>& parts, const SheetOptions& options = {});

}  // namespace basin
