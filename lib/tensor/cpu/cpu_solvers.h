#pragma once

#include "tensor/cpu/cpu_backend.h"
#include "tensor/solvers.h"

namespace basin {

/// The CPU's solvers, on the products and the work memory of its kernels: lasso/dictionary.cpp,
/// lasso/lasso.cpp, lasso/conv_lasso_solver.cpp, recurrence/forward.cpp, recurrence/backward.cpp.
class CpuSolvers final : public Solvers {
 public:
  /// `kernels` must outlive this.
  explicit CpuSolvers(CpuBackend& kernels) : kernels_(kernels) {}

  void dictionary(const DictionaryCall& call) override;
  void lasso_descent(const LassoCall& call) override;
  void lasso_gradient(const LassoCall& call) override;
  std::size_t conv_lasso_room(const ConvLassoProblem& problem) const override;
  std::unique_ptr<ConvLassoSolver> conv_lasso(const ConvLassoProblem& problem, void* room) override;
  void recurrence_forward(const RecurrenceForward& call) override;
  void recurrence_backward(const RecurrenceBackward& call) override;

 private:
  CpuBackend& kernels_;
};

}  // namespace basin
