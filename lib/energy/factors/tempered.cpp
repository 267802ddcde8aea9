#include "energy/factors/tempered.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

class Tempered final : public Factor {
 public:
  Tempered(std::shared_ptr<const Factor> factor, Value scales)
      : factor_(std::move(factor)), scales_(std::move(scales)) {}
  std::string name() const override { return "Tempered " + factor_->name(); }
  std::vector<Variable> scope() const override { return factor_->scope(); }
  std::vector<Parameter> parameters() const override { return factor_->parameters(); }
  Order order_in(const Variable& variable) const override {
    const Order order = factor_->order_in(variable);
    return order == Order::Chain || order == Order::Joint ? Order::Any : order;
  }
  bool convex_in(const Variable& variable) const override { return factor_->convex_in(variable); }
  bool reads_context() const override { return factor_->reads_context(); }
  Block sequences() const override { return factor_->sequences(); }
  std::shared_ptr<const Factor> without_row_scales() const override { return factor_; }
  Value energy(const State& state) const override {
    const Value plain = factor_->energy(state);
    // Replicas of a row are scaled as it is.
    const Index times = scales_.dim(0) > 0 ? plain.dim(0) / scales_.dim(0) : 1;
    if (times * scales_.dim(0) != plain.dim(0) || (times > 0 && state.context().replicas % times != 0)) {
      throw Error(fmt::format(
          "[tempered] expected as many rows as scales, {}, received {}; make a graph for these rows",
          to_string(scales_.shape()), to_string(plain.shape())));
    }
    return replicated(scales_, times) * plain;
  }

 private:
  std::shared_ptr<const Factor> factor_;
  Value scales_;
};

}  // namespace

FactorGraph tempered(const FactorGraph& graph, const Value& scales) {
  if (scales.rank() != 1) {
    throw Error(fmt::format("[tempered] expected one scale a row, [N], received shape {}",
                            to_string(scales.shape())));
  }
  return graph.wrapped([&](const std::shared_ptr<const Factor>& factor) {
    for (const Variable& variable : factor->scope()) {
      if (!factor->smooth_in(variable)) {
        throw Error(
            fmt::format("[tempered] expected factors that are smooth in {}, received {}; leave it out",
                        variable.name, factor->name()));
      }
    }
    return std::make_shared<const Tempered>(factor, scales);
  });
}

}  // namespace basin
