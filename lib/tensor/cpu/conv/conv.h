#pragma once

#include "tensor/cpu/conv/conv_plane.h"

namespace basin {

/// `rows` rows of `width` numbers of every filter:  y[k][i][j] = sum_{c,u,v} w[k,c,u,v] x(c, i + u, j + v).
template <class T>
struct ConvBand {
  Plane<T>
      x;  // every number that the sums need must be there; where `width` is below a vector, a whole vector's
  Taps taps;
  Index filters = 0, rows = 0, width = 0;
  const T* weights =
      nullptr;  // packed by pack_filters where use_filter_blocks(filters), else [filters, channels, u, v]
  T* y = nullptr;
  Index filter_stride = 0, row_stride = 0;
};

/// One or two filters are summed four rows at a time, more four filters at a time.
inline bool use_filter_blocks(Index filters) { return filters > 2; }

/// Numbers in a vector of this processor.
Index conv_lanes(std::size_t element_bytes);

void conv_band(const ConvBand<float>& band);
void conv_band(const ConvBand<double>& band);

/// sums[k, c, u, v] += sum_{i,j} y(k, i, j) x(c, i + u, j + v) over a band of `rows` x `width` numbers of y.
/// Rows of both planes must be readable up to the next whole vector, with zeros in y and finite numbers in x
/// there.
template <class T>
struct ConvFilterBand {
  Plane<T> x, y;
  Taps taps;  // channels of x; height and width of the filter
  Index filters = 0, rows = 0, width = 0;
  T* sums = nullptr;  // [filter blocks][channels, u, v, q][lanes]
};

void conv_filter_band(const ConvFilterBand<float>& band);
void conv_filter_band(const ConvFilterBand<double>& band);

}  // namespace basin
