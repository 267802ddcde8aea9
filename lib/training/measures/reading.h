#pragma once

#include <cstdint>
#include <vector>

#include "energy/graph.h"
#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage that reads strings: what it reads is the most probable value of `label` and `segments`
/// given the rest of a batch.
struct StringReader {
  static constexpr const char* kWhat = "strings that are read";

  Variable image, label, segments;  // label [L, K + 1], the last category: no character
  Index stride = 1;                 // pixels from cut to cut
};

/// Strings of categories, without what stands behind their ends.
using String = std::vector<std::int64_t>;

struct Reading {
  std::vector<String> labels, read;
  std::vector<std::vector<Index>> cuts;  // where each character that was read ends, in pixels

  double sequence_error() const;  // share of strings that are not all right
  double character_error()
      const;  // edits (Levenshtein 1966) from what was read to the label, of its characters
};

/// The first `most` samples read.
Reading read_strings(const StageView& view, const Samples& samples, Index most);

/// A number of the string's own, by which strings are compared: its characters as digits of base K + 1, each
/// plus 1. Throws Error where it takes more than 63 bits.
std::int64_t code_of(const String& string, Index categories);

/// "reading": sequence_error_<part>, the share of strings of which a character is wrong, missing or too many,
/// and character_error_<part>, the edit distance to the labels as a share of their characters. At the end of
/// all judged samples, with
///   <part>_predictions, <part>_labels [N]  each string as a number (code_of), which `basin compare` counts
///   by <part>_read, <part>_strings [N, L]     their characters, -1 behind the end
/// In epochs of all validation samples, or else of the first 500 test samples.
Measure reading_measure();

}  // namespace basin
