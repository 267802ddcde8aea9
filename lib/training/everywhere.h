#pragma once

#include <memory>
#include <optional>

#include "config/config.h"
#include "energy/fuse.h"
#include "training/stage.h"

namespace basin {

/// How a stage learns from patches of its samples: its table [patches].
struct PatchTable {
  Index size = 0;    // side of a patch
  Index stride = 1;  // from place to place where the encoder is used
  Index count = 0;   // patches for training; a tenth of that for tests and for validation
};

/// Facet of a stage that learns from patches of its samples, and whose encoder is used at every place of
/// whole ones: all that trains and measures the stage sees patches, all that stands above it maps of codes.
struct Everywhere {
  static constexpr const char* kWhat = "patches that it learns from";

  PatchTable patches;
  Shape whole = {};                                 // of a sample: [H, W] or [C, H, W]
  std::shared_ptr<const Module> encoder = nullptr;  // [N, whole...] -> [N, K, H', W']
};

/// The table [patches] among those of a stage; none: it learns from its samples.
std::optional<PatchTable> read_patches(const Config& stage);

/// The shape of a patch, [size, size] of samples [H, W], [C, size, size] of [C, H, W]. Throws Error, naming
/// the sizes, for samples of other shapes and for those that are smaller.
Shape shape_of_patch(const PatchTable& patches, const Shape& whole);

/// Makes a stage that was built for patches one of whole samples: sets the facet, and makes pictures of parts
/// of maps those of their first channel. An encoder that is a convolution is used as it is, others go from
/// place to place (models/patchwise.h: the rule "patches"). Throws Error for a stage without an encoder, and
/// for one that sees more than samples, or makes its own.
void use_everywhere(Stage& stage, const PatchTable& patches, const Shape& whole, Fuse fuse);

/// What the stages above learn from, as a function of whole samples.
const std::shared_ptr<const Module>& passed_on(const Stage& stage);

/// Whole samples as batches of the stage, means where bits are drawn for training: what passed_on() takes.
Source whole_means(const Stage& stage, const Samples& samples);
/// The variable whose values those are.
Variable whole_variable(const Stage& stage);

/// Throws Error "[who] ..." where one of them learns from patches.
void refuse_patches(const char* who, const std::vector<Stage>& stages);

}  // namespace basin
