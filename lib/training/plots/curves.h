#pragma once

#include "training/plots/plot.h"

namespace basin {

/// "curves": the epoch metrics whose names begin with drawing.metric, over epochs; "" takes the most telling
/// one there is. Of every stage. Throws Error naming the metrics in the file when there is none.
Plot curves_plot();

}  // namespace basin
