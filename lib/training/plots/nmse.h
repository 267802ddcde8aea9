#pragma once

#include "training/plots/plot.h"

namespace basin {

/// "nmse": error against number of iterations, of a network and of what it competes with.
Plot nmse_plot();

}  // namespace basin
