#pragma once

#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage or head whose codes are searched for samples of the same label.
struct Retrieval {
  static constexpr const char* kWhat = "codes that are searched";

  Index queries = 1000;    // at most so many of the samples that it is judged by
  Index database = 10000;  // at most so many of those that it learned from
};

/// Queries and what is searched, by ranks: precision and recall among the first k, for k = 1, 2, 4, ... and
/// all; the mean over queries of the average precision, sum over relevant ranks r of precision(r) / number of
/// relevant; the share of queries whose nearest has another label.
struct Ranking {
  std::vector<std::int64_t> retrieved = {};         // k
  std::vector<double> precision = {}, recall = {};  // of each
  double mean_average_precision = 0.0, nearest_error = 0.0;
  Index queries = 0;  // those of which the database has the label
};

/// Throws Error where the database has no label of any query.
Ranking rank_labels(const Tensor& queries, std::span<const std::int64_t> query_labels, const Tensor& database,
                    std::span<const std::int64_t> labels);

/// "retrieval": how well neighbours in code space, by Euclidean distance, have a sample's label; beside it
/// the same of the samples themselves. `mean_average_precision`, `nearest_error`, each also `_samples`; lists
/// /evaluation/retrieval/{retrieved, precision, recall, precision_samples, recall_samples}. In epochs
/// "nearest_error_test" of few of them. Throws Error for samples without labels. Reference: Hinton and
/// Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks", figure 4.
Measure retrieval_measure();

}  // namespace basin
