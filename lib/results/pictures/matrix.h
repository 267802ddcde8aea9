#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "results/pictures/picture.h"

namespace basin {

struct MatrixOptions {
  std::string title = {};
  std::string row_label = {}, column_label = {};  // what rows and columns are
  std::vector<std::string> names = {};            // of rows and of columns; none: their numbers
  int least_width = 300;
};

/// A square matrix of counts [n n], row by row, as a picture with its numbers in its cells (of more than 40
/// rows without): the diagonal blue, by its share of the row, all else red, by its share of the largest
/// number off the diagonal. Throws Error unless it is square, with a name a row.
Picture matrix_picture(const std::vector<std::int64_t>& counts, const MatrixOptions& options);

}  // namespace basin
