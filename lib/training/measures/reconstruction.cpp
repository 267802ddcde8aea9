#include "training/measures/reconstruction.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "energy/factors/penalties/contractive.h"
#include "energy/sample_ops.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kJacobians = 200;  // samples whose Jacobian is found without a closed form

struct Both {
  const ReconstructionError& how;
  const Module& encoder;
  const Module& decoder;
  const Variable& x;

  /// [N, x.size()]
  Value decode(const Value& h) const { return flatten(decoder.forward(h)); }
};

Both both_of(const StageView& view, const char* who) {
  const Stage& stage = view.stage;
  const auto& how = need<ReconstructionError>(stage, who);
  if (!stage.encoder || !stage.decoder) refuse_facet(who, ReconstructionError::kWhat, stage.kind);
  return {how, *stage.encoder, *stage.decoder, stage.inputs.at(0).variable};
}

Monitor monitor(const StageView& view) {
  const Both both = both_of(view, "reconstruction");
  const auto& [samples, part] = watched(view);
  const Source all = stage_source(view.stage, samples);
  const State some =
      samples_between(all, 0, std::min(all.count(), both.how.monitored), view.stage.key.fold("monitor"));
  return [both, x = flatten(some[both.x]), name = "reconstruction_error_" + part] {
    const Value error = mean(sum_per_sample(square(x - both.decode(both.encoder.forward(x)))));
    return std::map<std::string, double>{{name, error.item()}};
  };
}

/// Calls visit(x) for the samples x that the stage is judged by, a part after another; returns their number.
template <class Visit>
Index walk(const StageView& view, const Both& both, Index most, Visit visit) {
  return walk_through(stage_source(view.stage, judged(view).samples), most, view.stage.key.fold("evaluate"),
                      [&](const State& part, Index) { visit(flatten(part[both.x])); });
}

std::string evaluate(const StageView& view, Store& store) {
  const Both both = both_of(view, "reconstruction");
  double error = 0.0, size = 0.0, codes = 0.0;
  Index code_size = 1;
  const Index count = walk(view, both, both.how.samples, [&](const Value& x) {
    const Value h = both.encoder.forward(x).detached();
    error += sum(square(x - both.decode(h))).item();
    size += sum(square(x)).item();
    codes += sum(h).item();
    code_size = element_count(h.shape()) / h.dim(0);
  });
  const auto n = static_cast<double>(count);
  const double relative = size > 0.0 ? error / size : error;
  const double mean_code = codes / n / static_cast<double>(code_size);
  put_result(store, {"samples", "samples"}, n);
  put_result(store, {"reconstruction_error", "squared pixels a sample", Better::Down}, error / n);
  put_result(store, {"relative_error", "1", Better::Down}, relative);
  put_result(store, {"mean_code"}, mean_code);
  return fmt::format(
      "reconstruction  error {:.4f} of |x|^2 ({:.3f} a sample), mean code {:.4f}, {} {} samples\n", relative,
      error / n, mean_code, count, judged(view).name);
}

std::string evaluate_jacobian(const StageView& view, Store& store) {
  const Both both = both_of(view, "jacobian");
  const Contractive contraction(both.x, view.stage.encoder, {.weight = 1.0});
  const Index most = contraction.rules().empty() ? std::min(both.how.samples, kJacobians) : both.how.samples;
  double total = 0.0;
  const Index count = walk(view, both, most, [&](const Value& x) {
    total += sum(sqrt(contraction.energy(State().set(both.x, as_values(both.x, x))).detached())).item();
  });
  const double jacobian = total / static_cast<double>(count);
  put_result(store, {"jacobian"}, jacobian);
  return fmt::format("jacobian     |dh/dx| {:.4f} on average, {} {} samples\n", jacobian, count,
                     judged(view).name);
}

}  // namespace

Measure reconstruction_measure() {
  return {.name = "reconstruction",
          .metrics = {{"reconstruction_error_test", "squared pixels a sample", Better::Down}},
          .results = {"relative_error", "reconstruction_error", "mean_code", "samples"},
          .monitor = monitor,
          .evaluate = evaluate};
}

Measure jacobian_measure() {
  return {.name = "jacobian", .metrics = {}, .results = {"jacobian"}, .evaluate = evaluate_jacobian};
}

}  // namespace basin
