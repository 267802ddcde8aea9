#include <limits>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/factors/score.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/objectives/labels/label_loss.h"
#include "modules/linear.h"
#include "training/kinds/kind.h"
#include "training/measures/classification.h"

/// The head "softmax": p(label | x) = softmax(W g(x) + b) of the codes g(x) that the stages below give,
/// learned by its likelihood or by another loss of the energies -(W g(x) + b) of all labels; the head "svm":
/// the same scores, each a linear support vector machine of one label against all others.
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

struct Loss {
  LabelLoss::Kind kind = LabelLoss::Kind::Nll;
  LabelLossOptions options = {};

  bool is_likelihood() const { return kind == LabelLoss::Kind::Nll && options.beta == 1.0; }
};

Loss read_loss(const Reader& in) {
  Loss loss;
  // No part of an experiment that does not say it.
  if (!in.table().has("loss")) return loss;
  loss.kind = label_loss(in.table().choice("loss", label_losses()));
  constexpr double kMost = std::numeric_limits<double>::max();
  if (has_margin(loss.kind)) loss.options.margin = in.within("margin", 0.0, kMost, loss.options.margin);
  if (has_beta(loss.kind)) loss.options.beta = in.positive("beta", loss.options.beta);
  return loss;
}

std::shared_ptr<const Objective> objective_of(const Loss& loss, const Variable& label) {
  if (loss.is_likelihood()) return std::make_shared<const Contrast>(ConditionalLikelihood({label}));
  return std::make_shared<const LabelLoss>(label, loss.kind, loss.options);
}

Stage build(const Loss& loss, const StageContext& context) {
  const LabelColumn& labels = labels_of(context);
  Stage head;
  const Variable x = head.graph.real("x", context.sample_shape);
  const Variable y = head.graph.categorical("label", {labels.classes});
  const auto scores = std::make_shared<const Scores>(
      context.below,
      Linear(context.codes, labels.classes, context.key.fold("model"), {.placement = context.placement}));
  head.graph.add(Score(y, scores, x));
  head.inputs = {{"image", x}, {labels.name, y}};
  head.objective = objective_of(loss, y);
  head.monitors = head.measures = {"classification"};
  head.facets.set(Classifier{scores});
  return head;
}

StageBuilder of_loss(const Loss& loss, StageTables& tables) {
  tables.objective = loss.is_likelihood() ? "conditional_likelihood"
                                          : label_losses().at(static_cast<std::size_t>(loss.kind));
  for (const char* plot : {"confusion", "misclassified", "saliency", "class_images", "features"})
    tables.plots.emplace_back(plot);
  return [loss](const StageContext& context) { return build(loss, context); };
}

}  // namespace

StageBuilder read_softmax(StageTables& tables) {
  return of_loss(read_loss(Reader(tables.config.table("head"))), tables);
}

StageBuilder read_svm(StageTables& tables) {
  const Config head = tables.config.table("head");
  const bool squared = head.choice("loss", {"squared_hinge", "hinge"}, "squared_hinge") == "squared_hinge";
  const Loss loss{squared ? LabelLoss::Kind::SquaredOneAgainstAll : LabelLoss::Kind::OneAgainstAll};
  return of_loss(loss, tables);
}

}  // namespace basin
