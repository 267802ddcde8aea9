#pragma once

#include <memory>

#include "training/families/rbm_settings.h"
#include "training/family.h"

namespace basin {

/// Restricted Boltzmann machines: model.kind = "rbm"; plots "basis" and "samples".
FamilyKind rbm_family();

/// A restricted Boltzmann machine of an experiment: model, objective, and how samples become visible states.
class RbmLearner final : public Learner {
 public:
  /// Throws Error when the plan's objective is out of reach for the size of the model.
  RbmLearner(const Plan& plan, const RbmSettings& settings, const Shape& sample_shape, Device device);

  const FactorGraph& graph() const override { return rbm_.graph; }
  const Objective& objective() const override { return *objective_; }
  /// Visible biases under which each visible unit alone has the mean of the samples.
  void start(const Dataset& data, const Say& say) override;
  Source batches(const Dataset& data) const override;
  /// "pseudo_likelihood_train", "_test" of binary visible units; "free_energy_train", "_test" of others; of
  /// the first samples.
  Monitor monitor(const Dataset& data) const override;
  std::string evaluate(const Dataset& data, const Carry& carry, Store& store, const Say& say) const override;
  void draw(const Drawing& drawing, const DataSupply& data, const Carry& carry) const override;

  const Rbm& rbm() const { return rbm_; }
  const RbmSettings& settings() const { return settings_; }
  Key key() const { return key_; }
  /// Samples as a likelihood sees them (evaluate.scale); they must outlive the source.
  Source evaluation_source(const Samples& samples) const;

 private:
  Source make_source(const Samples& samples, PixelScale scale) const;

  RbmSettings settings_;
  std::string objective_name_;
  PixelScale scale_;
  double threshold_;
  Key key_;
  Rbm rbm_;
  std::unique_ptr<Objective> objective_;
};

/// Visible biases under which each visible unit alone has the mean of the samples, [v.size()]; draws of the
/// source under `key`.
Tensor mean_bias(const Rbm& rbm, const Source& samples, Key key);

}  // namespace basin
