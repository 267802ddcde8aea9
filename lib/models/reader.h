#pragma once

#include <memory>
#include <string>
#include <vector>

#include "energy/graph.h"
#include "modules/module.h"

namespace basin {

struct ReaderOptions {
  Shape image = {};   // of a sample, [1, H, W]
  Index labels = 10;  // K, what a character may be
  Index most = 5;     // L, characters of a string
  /// Layers on the image (models/layers.h) that end in maps as wide as there are stretches between cuts.
  std::vector<std::string> layers = {};
  Index longest = 8;        // D, stretches of a character
  Index parts = 4;          // of a segment that its classifier sees (SegmentColumns)
  Index hidden = 48;        // units of the classifier
  bool normalised = false;  // scores of a segment are log-probabilities of its labels
  Key key = Key(0);
  Placement placement = {};
};

/// A reader of strings: layers on the whole image, a classifier of every segment between two of its cuts,
/// and how segments make a string (Segments). With its label latent too, the most probable state is what it
/// reads.
struct ReaderModel {
  FactorGraph graph;
  Variable image, label, segments;       // x, y [L, K + 1], z [T, D]
  Index stride = 1;                      // pixels from cut to cut
  std::shared_ptr<const Module> scores;  // images -> [N, T, D, K]
};

/// Throws Error where the layers do not end in maps whose width divides that of the image.
ReaderModel reader(const ReaderOptions& options);

/// Segments z [N, T, D] of characters that end at the given pixels [N, L] (0: none), of images as wide as the
/// context says: each end at the nearest cut. Throws Error, naming row and character, where characters lie on
/// one cut or take more than D stretches.
Tensor segments_of(const ReaderModel& model, const Tensor& ends);

}  // namespace basin
