#pragma once

#include "models/psd.h"
#include "training/family.h"

namespace basin {

/// The dictionary's elements as rows that are pictures of a shape.
struct Picturable {
  Tensor rows;
  Shape pixels;
};

/// Elements as they are where samples are pictures and `as_patches` is false, else as they are in patches.
Picturable picturable(const Psd& model, const Preprocessing& preprocessing, bool as_patches);

/// "dictionary": the elements; "encoder": beside them, in the same order, the encoder's filters; both as they
/// are where samples are pictures, else (PCA) as they are in patches. "dictionary_unwhitened": the elements
/// in patches. Throws Error for another plot.
void draw_elements(const Drawing& drawing, const Psd& model, const DataSupply& data);

/// How codes look in patches: what a code stands for (its element) and what the encoder looks for (its
/// filter), both through whatever lies below; of scale 1.
Preprocessing layer_pictures(const Psd& model, const Preprocessing& below);

/// Rows of tiles: samples y, what their codes z give back, and (with an encoder) what the encoder's codes
/// give back; as patches.
void draw_reconstructions(const Drawing& drawing, const Psd& model, const State& batch, const Value& z,
                          const Dataset& data);

}  // namespace basin
