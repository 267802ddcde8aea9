#pragma once

#include <memory>
#include <string>

#include "energy/minimise/proximal.h"
#include "energy/objectives/latent_minimum.h"
#include "models/conv_sparse_coding.h"
#include "training/families/code_report.h"
#include "training/families/sparse_settings.h"
#include "training/family.h"

namespace basin {

/// Kinds "conv_sparse_coding" (plots "dictionary", "reconstructions") and "conv_psd" (also "encoder": filters
/// and encoder side by side).
FamilyKind conv_sparse_coding_family();
FamilyKind conv_psd_family();

/// The keys of an experiment that they have.
struct ConvSettings {
  Index filters = 0, filter_size = 9;
  double lambda = 0.0, alpha = 1.0;
  bool non_negative = false, from_data = true, encodes = false;
  EncoderKind encoder = EncoderKind::Shrinkage;
  SparseSettings::Inference inference;
  Index dead_after = 0;
  Index samples = 0;  // of the evaluation
};

/// A dictionary of filters, perhaps with an encoder, of an experiment on images.
class ConvLearner final : public Learner {
 public:
  ConvLearner(const Plan& plan, const ConvSettings& settings, const Shape& sample_shape, Device device);

  const FactorGraph& graph() const override { return model_.graph; }
  const Objective& objective() const override { return *minimum_; }
  /// Filters from patches of the data where wanted; warns of a lambda above the largest useful weight.
  void start(const Dataset& data, const Say& say) override;
  Source batches(const Dataset& data) const override;
  /// The report's metrics of the first test images, and "likeness" of the filters.
  Monitor monitor(const Dataset& data) const override;
  std::string evaluate(const Dataset& data, const Carry& carry, Store& store, const Say& say) const override;
  void draw(const Drawing& drawing, const DataSupply& data, const Carry& carry) const override;

  const ConvPsd& model() const { return model_; }  // without an encoder: convolutional sparse coding
  /// Measures images [0, count) of a source.
  CodeReport measure(const Source& images, Index count, Key key) const;

 private:
  Source make_source(const Samples& samples) const;

  ConvSettings settings_;
  BatchOptions pixels_;
  Key key_;
  ConvPsd model_;
  std::shared_ptr<const LatentMinimum> minimum_;
};

}  // namespace basin
