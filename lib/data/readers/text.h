#pragma once

#include <string>

#include "data/dataset.h"
#include "data/import_limit.h"

namespace basin {

struct TextOptions {
  Index length = 100;                                 // characters of a sample
  double validation_share = 0.05, test_share = 0.05;  // of the characters, at the end of the text
};

/// The characters of a text (UTF-8, also packed by gzip) as categories: its beginning for training, what
/// follows for validation, its end for tests.
///
/// Sample i of a part is its characters i length .. (i + 1) length - 1, "input" [length], and "next" [length]
/// the characters that follow each of them. So samples lie in the order of the text, and SampleOrder::Streams
/// reads on from batch to batch: with B rows a batch and K = samples / B (whole) batches, row s of batch t is
/// sample s K + t. What is left at the end of a part, less than a sample and one character, is left out.
///
/// The categories are the characters of the training part by their code points, `class_names` of both
/// columns. Throws Error for what is no UTF-8, a part that holds no sample, and a character that the training
/// part lacks, with its place.
Dataset read_text(const std::string& path, const TextOptions& options,
                  const ImportLimit& limit = ImportLimit());

}  // namespace basin
