#include "training/measures/retrieval.h"

#include <fmt/format.h>

#include <algorithm>

#include "tensor/error.h"
#include "training/measures/code_space.h"

namespace basin {
namespace {

constexpr Index kMonitoredQueries = 500, kMonitoredDatabase = 2000;

/// 1, 2, 4, ... and all.
std::vector<std::int64_t> numbers_retrieved(Index database) {
  std::vector<std::int64_t> numbers;
  for (Index k = 1; k < database; k *= 2) numbers.push_back(k);
  numbers.push_back(database);
  return numbers;
}

CodeSpace labelled_space(const StageView& view, const Samples& samples, Index most) {
  if (samples.labels() == nullptr)
    throw Error("[retrieval] expected samples with labels, received some without; leave retrieval out");
  return code_space(view, samples, most, "retrieval");
}

Monitor monitor(const StageView& view) {
  need<Retrieval>(view.stage, "retrieval");
  return [view] {
    const auto& [samples, part] = watched(view);
    const CodeSpace queries = labelled_space(view, samples, kMonitoredQueries),
                    all = labelled_space(view, view.data().train, kMonitoredDatabase);
    const Ranking found = rank_labels(queries.codes, queries.labels, all.codes, all.labels);
    return std::map<std::string, double>{{"nearest_error_" + part, found.nearest_error}};
  };
}

void put_ranking(Store& store, const std::string& of, const Ranking& found) {
  put_result(store, {"mean_average_precision" + of, "1", Better::Up}, found.mean_average_precision);
  put_result(store, {"nearest_error" + of, "fraction of the queries", Better::Down}, found.nearest_error);
  put_result(store, {"retrieval/precision" + of, "1", Better::Up}, found.precision);
  put_result(store, {"retrieval/recall" + of, "1", Better::Up}, found.recall);
}

std::string evaluate(const StageView& view, Store& store) {
  const auto& how = need<Retrieval>(view.stage, "retrieval");
  const auto& [samples, part] = judged(view);
  const CodeSpace queries = labelled_space(view, samples, how.queries),
                  all = labelled_space(view, view.data().train, how.database);
  const Ranking of_codes = rank_labels(queries.codes, queries.labels, all.codes, all.labels),
                of_samples = rank_labels(queries.samples, queries.labels, all.samples, all.labels);
  store.put("/evaluation/retrieval/retrieved", of_codes.retrieved);
  put_ranking(store, "", of_codes);
  put_ranking(store, "_samples", of_samples);
  return fmt::format(
      "retrieval    mean average precision {:.4f} (samples {:.4f}), nearest of another label {:.2f} % "
      "({:.2f} %), {} {} queries in {} samples\n",
      of_codes.mean_average_precision, of_samples.mean_average_precision, 100.0 * of_codes.nearest_error,
      100.0 * of_samples.nearest_error, of_codes.queries, part, all.labels.size());
}

}  // namespace

Ranking rank_labels(const Tensor& queries, std::span<const std::int64_t> query_labels, const Tensor& database,
                    std::span<const std::int64_t> labels) {
  Ranking mean{.retrieved = numbers_retrieved(database.dim(0))};
  mean.precision.assign(mean.retrieved.size(), 0.0);
  mean.recall.assign(mean.retrieved.size(), 0.0);
  rank_by_distance(queries, database, [&](Index query, std::span<const Index> ranked) {
    const std::int64_t label = query_labels[static_cast<std::size_t>(query)];
    const auto all = static_cast<double>(std::ranges::count(labels, label));
    if (all == 0.0) return;
    ++mean.queries;
    mean.nearest_error += labels[static_cast<std::size_t>(ranked[0])] != label;
    double relevant = 0.0, precisions = 0.0;
    std::size_t next = 0;  // of `retrieved`
    for (std::size_t rank = 1; rank <= ranked.size(); ++rank) {
      if (labels[static_cast<std::size_t>(ranked[rank - 1])] == label) {
        relevant += 1.0;
        precisions += relevant / static_cast<double>(rank);
      }
      if (static_cast<std::int64_t>(rank) == mean.retrieved[next]) {
        mean.precision[next] += relevant / static_cast<double>(rank);
        mean.recall[next] += relevant / all;
        ++next;
      }
    }
    mean.mean_average_precision += precisions / all;
  });
  if (mean.queries == 0)
    throw Error("[retrieval] expected samples of the queries' labels to search, received none");
  const auto count = static_cast<double>(mean.queries);
  for (double& number : mean.precision) number /= count;
  for (double& number : mean.recall) number /= count;
  mean.mean_average_precision /= count;
  mean.nearest_error /= count;
  return mean;
}

Measure retrieval_measure() {
  return {.name = "retrieval",
          .metrics = {{"nearest_error_test", "fraction of the queries", Better::Down}},
          .results = {"mean_average_precision", "mean_average_precision_samples", "nearest_error",
                      "nearest_error_samples"},
          .monitor = monitor,
          .evaluate = evaluate};
}

}  // namespace basin
