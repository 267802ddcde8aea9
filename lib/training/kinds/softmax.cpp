#include "autograd/ops.h"
#include "energy/factors/score.h"
#include "energy/objectives/exact_likelihood.h"
#include "modules/linear.h"
#include "training/kinds/kind.h"
#include "training/measures/classification.h"

/// The head "softmax": p(label | x) = softmax(W g(x) + b) of the codes g(x) that the stages below give.
namespace basin {
namespace {

/// W g(x) + b, by the parameters of g and "head.weight" and "head.bias".
class Scores final : public Module {
 public:
  Scores(std::shared_ptr<const Module> below, Linear head)
      : below_(std::move(below)), head_(std::move(head)) {}

  Value forward(const Value& x, const Context& context) const override {
    return head_.forward(below_->forward(x, context), context);
  }

  std::vector<Parameter> parameters() const override {
    std::vector<Parameter> parameters = below_->parameters();
    for (const Parameter& own : head_.parameters()) parameters.push_back(own.prefixed(kHead));
    return parameters;
  }

 private:
  std::shared_ptr<const Module> below_;
  Linear head_;
};

Stage build(const StageContext& context) {
  Stage head;
  const Variable x = head.graph.real("x", context.sample_shape);
  const Variable y = head.graph.categorical("label", {context.labels.classes});
  const auto scores = std::make_shared<const Scores>(
      context.below, Linear(context.codes, context.labels.classes, context.key.fold("model"),
                            {.placement = context.placement}));
  head.graph.add(Score(y, scores, x));
  head.inputs = {{"image", x}, {context.labels.name, y}};
  head.objective = std::make_shared<const Contrast>(ConditionalLikelihood({y}));
  head.monitors = head.measures = {"classification"};
  head.facets.set(Classifier{scores});
  return head;
}

}  // namespace

StageBuilder read_softmax(StageTables& tables) {
  tables.objective = "conditional_likelihood";
  for (const char* plot : {"confusion", "misclassified", "saliency", "class_images"})
    tables.plots.emplace_back(plot);
  return build;
}

}  // namespace basin
