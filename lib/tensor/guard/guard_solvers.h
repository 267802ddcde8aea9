#pragma once

#include "tensor/guard/guarded_memory.h"
#include "tensor/solvers.h"

namespace basin {

/// The solvers of another device on guarded memory, as GuardBackend has its kernels. A solver's room is one
/// buffer, open while the solver works.
class GuardSolvers final : public Solvers {
 public:
  /// `solvers` must work on host memory; both must outlive this.
  GuardSolvers(Solvers& solvers, GuardedMemory& memory) : solvers_(solvers), memory_(memory) {}

  bool has_lasso_descent() const override { return solvers_.has_lasso_descent(); }
  void dictionary(const DictionaryCall& call) override;
  void lasso_descent(const LassoCall& call) override;
  void lasso_gradient(const LassoCall& call) override;
  std::size_t conv_lasso_room(const ConvLassoProblem& problem) const override;
  std::unique_ptr<ConvLassoSolver> conv_lasso(const ConvLassoProblem& problem, void* room) override;
  void recurrence_forward(const RecurrenceForward& call) override;
  void recurrence_backward(const RecurrenceBackward& call) override;

 private:
  Solvers& solvers_;
  GuardedMemory& memory_;
};

/// While one lives, the guard device has no solvers: tests see what a device without them does.
class WithoutGuardSolvers {
 public:
  WithoutGuardSolvers();
  ~WithoutGuardSolvers();
  WithoutGuardSolvers(const WithoutGuardSolvers&) = delete;
  WithoutGuardSolvers& operator=(const WithoutGuardSolvers&) = delete;

  static bool any();
};

}  // namespace basin
