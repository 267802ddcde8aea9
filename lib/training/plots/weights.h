#pragma once

#include "training/plots/plot.h"

namespace basin {

/// Pictures of a stage's Dictionary, as tiles: "basis" and "decoder": its elements, in order of norm where
/// asked for; "dictionary": in their own order; "dictionary_unwhitened": as they are in the patches that
/// samples were made from; "encoder": the filters, beside the elements in the same order where those have
/// norm 1.
Plot basis_plot();
Plot decoder_plot();
Plot dictionary_plot();
Plot dictionary_unwhitened_plot();
Plot encoder_plot();

}  // namespace basin
