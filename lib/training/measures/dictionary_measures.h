#pragma once

#include "training/measures/measure.h"

namespace basin {

/// "gabor": Gabor functions fitted to the atoms of a dictionary of pictures: gabor/explained, the share of
/// each atom's variance, and gabor/share, of the atoms of which at least 0.8 is explained.
Measure gabor_measure();

/// "coherence": how alike different atoms of a dictionary of pictures are, over all shifts (models/
/// conv_sparse_coding.h); in epochs, too.
Measure coherence_measure();

}  // namespace basin
