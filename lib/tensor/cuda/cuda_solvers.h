#pragma once

#include "tensor/cuda/cuda_backend.h"
#include "tensor/solvers.h"

namespace basin {

/// The solvers that suit a GPU, on the kernels of CudaBackend and compiled as they are: recurrence.cpp,
/// lasso_gradient.cpp, conv_lasso.cpp, dictionary.cpp. Coordinate descent is none of them: one coordinate
/// after another leaves a GPU idle.
class CudaSolvers final : public Solvers {
 public:
  /// `kernels` must outlive this.
  explicit CudaSolvers(CudaBackend& kernels) : kernels_(kernels) {}

  bool has_lasso_descent() const override { return false; }
  void dictionary(const DictionaryCall& call) override;
  void lasso_descent(const LassoCall& call) override;
  void lasso_gradient(const LassoCall& call) override;
  std::size_t conv_lasso_room(const ConvLassoProblem& problem) const override;
  std::unique_ptr<ConvLassoSolver> conv_lasso(const ConvLassoProblem& problem, void* room) override;
  void recurrence_forward(const RecurrenceForward& call) override;
  void recurrence_backward(const RecurrenceBackward& call) override;

 private:
  CudaBackend& kernels_;
};

}  // namespace basin
