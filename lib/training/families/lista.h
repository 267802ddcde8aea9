#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/generators/sparse_signals.h"
#include "energy/minimise/unroll/unroll.h"
#include "training/family.h"

namespace basin {

/// Networks unrolled from inference, on the data set "sparse_signals": model.kind = "lista" (from ISTA) and
/// "lcod" (from coordinate descent); plot "nmse": error against number of moves, of the network and of what
/// it was unrolled from.
FamilyKind lista_family();
FamilyKind lcod_family();

/// The keys of an experiment that they have.
struct ListaSettings {
  bool coordinate_descent = false;
  UnrollOptions unroll;
  double lambda = 0.1;
  std::string target;  // "signals": the codes that made the signals; "minimum": min_z E; "energy": no target,
                       // E itself
  bool total = false;  // the error of the whole batch counts, else that of each sample
  std::vector<Index> depths;  // trained and reported
};

/// An unrolled inference that learns to find x from y = A x.
class ListaLearner final : public Learner {
 public:
  /// Throws Error for another data set.
  ListaLearner(const Plan& plan, const ListaSettings& settings, const Shape& sample_shape, Device device);

  const FactorGraph& graph() const override { return graph_; }
  const Objective& objective() const override { return *objective_; }
  /// New signals in every epoch, as many as there are training samples.
  Source batches(const Dataset& data) const override;
  /// "nmse_test_<depth>", of the first test samples.
  Monitor monitor(const Dataset& data) const override;
  std::string evaluate(const Dataset& data, const Carry& carry, Store& store, const Say& say) const override;
  void draw(const Drawing& drawing, const DataSupply& data, const Carry& carry) const override;

 private:
  struct Row {
    std::string method;
    std::vector<double> nmse;  // dB, one a depth
  };
  std::vector<Row> compare(Index samples) const;
  /// Codes of the lasso, to a relative duality gap.
  Value minimum(const Value& y, double tolerance, Key key) const;
  /// Signals and what their codes are compared with: the codes that made them, or the lasso's, as in
  /// training.
  SparseSignals::Batch test_signals(Index samples) const;

  ListaSettings settings_;
  Key key_;
  SparseSignals signals_;
  FactorGraph coding_, graph_;  // of inference, of training
  Variable y_, z_, signal_, target_;
  std::shared_ptr<const Unrolled> net_;
  std::unique_ptr<Objective> objective_;
  Placement placement_;
};

}  // namespace basin
