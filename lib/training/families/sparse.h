#pragma once

#include <memory>

#include "energy/objectives/latent_minimum.h"
#include "models/psd.h"
#include "training/families/code_report.h"
#include "training/families/sparse_pictures.h"
#include "training/families/sparse_settings.h"
#include "training/family.h"

namespace basin {

/// Kinds "sparse_coding" (plots "dictionary", "reconstructions"), "psd" and "psd_warm_start" (also "encoder":
/// dictionary and encoder side by side).
FamilyKind sparse_coding_family();
FamilyKind psd_family();
FamilyKind psd_warm_start_family();

/// A dictionary, perhaps with an encoder, of an experiment.
class SparseLearner final : public Learner {
 public:
  SparseLearner(const Plan& plan, const SparseSettings& settings, const Shape& sample_shape, Device device);

  const FactorGraph& graph() const override { return model_.graph; }
  const Objective& objective() const override { return *objective_; }
  /// Elements from the data where settings.model.atoms_from_data; warns of a lambda above the largest useful
  /// weight.
  void start(const Dataset& data, const Say& say) override;
  Source batches(const Dataset& data) const override;
  /// The report's metrics of the first test samples.
  Monitor monitor(const Dataset& data) const override;
  std::string evaluate(const Dataset& data, const Carry& carry, Store& store, const Say& say) const override;
  /// |g(y)|: shrinkage gives codes of both signs, of which a next layer needs to know only how large they are
  /// (Jarrett, Kavukcuoglu, Ranzato, LeCun 2009, "What is the best multi-stage architecture for object
  /// recognition?", sec. 2).
  std::optional<Dataset> features(const Dataset& data) const override;
  void draw(const Drawing& drawing, const DataSupply& data, const Carry& carry) const override;

  const Psd& model() const { return model_; }  // without an encoder: sparse coding
  /// Measures samples [0, count) of a source.
  CodeReport measure(const Source& samples, Index count, Key key) const;

 private:
  Source make_source(const Samples& samples) const;
  Samples encoded(const Samples& samples) const;
  /// Gabor functions fitted to the dictionary's elements, into /evaluation/gabor.
  std::string fit_elements(const Picturable& elements, Store& store) const;

  SparseSettings settings_;
  BatchOptions pixels_;
  Key key_;
  Psd model_;
  std::shared_ptr<const LatentMinimum> minimum_;
  std::shared_ptr<const Objective> objective_;
};

}  // namespace basin
