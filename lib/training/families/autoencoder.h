#pragma once

#include <memory>
#include <string>

#include "models/autoencoder.h"
#include "training/family.h"

namespace basin {

/// Auto-encoders of one layer: model.kind = "autoencoder"; plots "encoder", "decoder" (the weights of each
/// code as tiles) and "reconstructions" (samples, what the encoder sees where that is corrupted, what comes
/// out).
FamilyKind autoencoder_family();

/// The keys of an experiment that they have.
struct AutoencoderSettings {
  AutoencoderOptions model{.key = Key(0)};  // sample_shape and key are filled in by the learner
  Index samples = 0;                        // of the test set that are evaluated
};

class AutoencoderLearner final : public Learner {
 public:
  AutoencoderLearner(const Plan& plan, const AutoencoderSettings& settings, const Shape& sample_shape,
                     Device device);

  const FactorGraph& graph() const override { return model_.graph; }
  const Objective& objective() const override { return *objective_; }
  Source batches(const Dataset& data) const override;
  /// "reconstruction_error_test": mean |x - r(x)|^2 of the first test samples, uncorrupted.
  Monitor monitor(const Dataset& data) const override;
  /// reconstruction_error, relative_error, jacobian (mean |dh/dx|_F), mean_code.
  std::string evaluate(const Dataset& data, const Carry& carry, Store& store, const Say& say) const override;
  void draw(const Drawing& drawing, const DataSupply& data, const Carry& carry) const override;

  const Autoencoder& model() const { return model_; }

 private:
  Source make_source(const Samples& samples) const;

  AutoencoderSettings settings_;
  BatchOptions pixels_;
  Key key_;
  Autoencoder model_;
  std::unique_ptr<Objective> objective_;
};

}  // namespace basin
