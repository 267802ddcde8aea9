#include "training/families/rbm_likelihood.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "energy/likelihood/log_likelihood.h"
#include "energy/marginal/enumerate.h"
#include "energy/sample/block_gibbs.h"
#include "training/walk.h"

namespace basin {
namespace {

/// Mean F over a whole source, a few thousand samples at a time so that a large set never stands in memory as
/// floats.
double mean_free_energy_of(const Rbm& rbm, const Source& source, Key key) {
  double sum = 0.0;
  for (Index begin = 0; begin < source.count(); begin += kChunk) {
    const Index end = std::min(begin + kChunk, source.count());
    sum += mean_free_energy(rbm.graph, {rbm.h}, samples_between(source, begin, end, key)) *
           static_cast<double>(end - begin);
  }
  return sum / static_cast<double>(source.count());
}

/// States of v that reverse annealing starts from: the particles, over and over, or else training samples.
State starts(const Rbm& rbm, Index chains, const Source& train, const Carry& carry, Key key) {
  const auto particles = carry.find("particles." + rbm.v.name);
  const Source from =
      particles == carry.end() ? train : source(rbm.v, particles->second, rbm.graph.placement());
  std::vector<Index> rows(static_cast<std::size_t>(chains));
  for (Index i = 0; i < chains; ++i) {
    rows[static_cast<std::size_t>(i)] = i % from.count();
  }
  return from.batch(rows, key);
}

void write_one(const Likelihood& one, const std::string& group, Store& store) {
  const auto put = [&](const char* name, double value) {
    store.put(group + "/" + name, std::vector<double>{value});
    store.attribute(group + "/" + name, "unit", std::string("nats"));
  };
  put("log_partition", one.partition.log_z);
  put("standard_error", one.partition.standard_error);
  put("train_log_likelihood", one.train);
  put("test_log_likelihood", one.test);
  if (!one.partition.log_weights.empty()) {
    put("base_log_partition", one.partition.base_log_z);
    put("log_partition_low", one.partition.low);
    put("log_partition_high", one.partition.high);
    store.put(group + "/effective_samples", std::vector<double>{one.partition.effective_samples});
    store.put(group + "/log_weights", one.partition.log_weights);
    store.attribute(group + "/log_weights", "unit", std::string("nats"));
  }
}

}  // namespace

LikelihoodReport log_likelihood(const RbmLearner& learner, const Dataset& data, const Carry& carry) {
  LikelihoodReport report;
  const RbmSettings::Evaluate& evaluate = learner.settings().evaluate;
  const Rbm& rbm = learner.rbm();
  if (evaluate.log_likelihood == "none") {
    return report;
  }
  const Key key = learner.key().fold("evaluate");
  const Source train = learner.evaluation_source(data.train);
  const Source test = learner.evaluation_source(data.test);
  const double train_energy = mean_free_energy_of(rbm, train, key.fold("train"));
  const double test_energy = mean_free_energy_of(rbm, test, key.fold("test"));
  const auto with = [&](PartitionEstimate estimate) {
    const double log_z = estimate.log_z;
    return Likelihood{
        .partition = std::move(estimate), .train = -train_energy - log_z, .test = -test_energy - log_z};
  };

  if (evaluate.log_likelihood == "exact") {
    const bool hidden_smaller = rbm.h.size() <= rbm.v.size();
    PartitionEstimate exact;
    exact.log_z = hidden_smaller ? log_partition(rbm.graph, {rbm.h}, {rbm.v})
                                 : log_partition(rbm.graph, {rbm.v}, {rbm.h});
    report.exact = with(exact);
    report.train_entropy = -best_log_likelihood(data.train);
    return report;
  }

  AnnealedImportanceOptions options;
  options.chains = evaluate.chains;
  options.temperatures =
      evaluate.three_part ? three_part_ladder(evaluate.temperatures) : uniform_ladder(evaluate.temperatures);
  options.fuse = learner.settings().train.fuse;
  options.base[rbm.v.name] = mean_bias(rbm, train, key.fold("train"));
  options.key = key.fold("forward");
  report.forward = with(annealed_importance(rbm.graph, {rbm.v}, {rbm.h}, options));
  if (evaluate.reverse) {
    options.key = key.fold("reverse");
    const State start = starts(rbm, evaluate.chains, train, carry, key.fold("start"));
    report.reverse = with(reverse_annealed_importance(rbm.graph, {rbm.v}, {rbm.h}, start, options,
                                                      {.burn_in = evaluate.burn_in}));
  }
  return report;
}

void write(const LikelihoodReport& report, Store& store) {
  store.remove("/evaluation");
  if (report.exact) {
    write_one(*report.exact, "/evaluation/exact", store);
    store.put("/evaluation/exact/train_entropy", std::vector<double>{report.train_entropy});
    store.attribute("/evaluation/exact/train_entropy", "unit", std::string("nats"));
  }
  if (report.forward) {
    write_one(*report.forward, "/evaluation/forward", store);
  }
  if (report.reverse) {
    write_one(*report.reverse, "/evaluation/reverse", store);
  }
}

std::string describe(const LikelihoodReport& report) {
  std::string text;
  const auto line = [&](const char* how, const Likelihood& one) {
    text += fmt::format("{:12} test {:10.3f}  train {:10.3f} nats  (log Z {:.3f} +- {:.3f})\n", how, one.test,
                        one.train, one.partition.log_z, one.partition.standard_error);
  };
  if (report.exact) {
    text += fmt::format(
        "{:12} test {:10.4f}  train {:10.4f} nats  (no model exceeds {:.4f} on the training samples)\n",
        "exact", report.exact->test, report.exact->train, -report.train_entropy);
  }
  if (report.forward) {
    line("forward AIS", *report.forward);
  }
  if (report.reverse) {
    line("reverse AIS", *report.reverse);
  }
  return text;
}

}  // namespace basin
