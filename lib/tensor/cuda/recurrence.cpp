#include "tensor/cuda/kernels/recurrence.h"

#include "tensor/cuda/cuda_solvers.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

namespace {

/// What both passes over the steps of a gated layer work with: the state, h and c [rows, H], and where
/// sequences end.
template <class T>
class Pass {
 public:
  Pass(CudaBackend& kernels, const RecurrenceSizes& sizes)
      : kernels_(kernels),
        sizes_(sizes),
        units_(sizes.rows * sizes.hidden),
        states_(kernels.pool(), static_cast<std::size_t>(2 * units_)),
        lengths_(kernels.pool(), sizes.lengths.size()) {
    if (!sizes.lengths.empty())
      kernels.upload(lengths_.data(), sizes.lengths.data(), sizes.lengths.size() * sizeof(Index));
  }

  T* h() const { return states_.data(); }
  T* c() const { return sizes_.cell == GatedCell::Lstm ? states_.data() + units_ : nullptr; }
  RecurrentSteps steps() const {
    return {sizes_.lengths.empty() ? nullptr : lengths_.data(), sizes_.steps, sizes_.hidden, sizes_.gates()};
  }
  void take_apart(const void* state) { parts(const_cast<void*>(state), false); }
  void put_together(void* state) { parts(state, true); }

  template <class Kernel>
  void run(const char* name, const Kernel& kernel) {
    launch(kernels_.runtime(), name, units_, kernel);
  }

 private:
  void parts(void* state, bool together) {
    run("recurrence", StateParts<T>{static_cast<T*>(state), h(), c(), sizes_.hidden, together});
  }

  CudaBackend& kernels_;
  const RecurrenceSizes& sizes_;
  Index units_;
  Scratch<T> states_;
  Scratch<Index> lengths_;
};

/// A product and one kernel a step.
template <class T, GatedCell kCell>
void forward(CudaBackend& kernels, const RecurrenceForward& call) {
  Pass<T> pass(kernels, call);
  const Index width = call.gates() * call.hidden;
  const Scratch<T> product(kernels.pool(), static_cast<std::size_t>(call.rows * width));
  pass.take_apart(call.start);
  GemmCall gemm{.dtype = call.dtype, .m = call.rows, .n = width, .k = call.hidden};
  gemm.a = pass.h();
  gemm.lda = call.hidden;
  gemm.b = call.weight;
  gemm.ldb = width;
  gemm.c = product.data();
  gemm.ldc = width;
  for (Index s = 0; s < call.steps; ++s) {
    kernels.gemm(gemm);
    StepForward<T, kCell> step{};
    static_cast<RecurrentSteps&>(step) = pass.steps();
    step.t = call.reversed ? call.steps - 1 - s : s;
    step.input = static_cast<const T*>(call.input);
    step.product = product.data();
    step.bias = static_cast<const T*>(call.bias);
    step.h = pass.h();
    step.c = pass.c();
    step.output = static_cast<T*>(call.output);
    step.gates_kept = static_cast<T*>(call.record.gates);
    step.cells = static_cast<T*>(call.record.cells);
    step.previous = static_cast<T*>(call.record.previous);
    pass.run("recurrence_forward", step);
  }
  pass.put_together(call.end);
}

template <class T, GatedCell kCell>
void backward(CudaBackend& kernels, const RecurrenceBackward& call) {
  Pass<T> pass(kernels, call);
  const Index units = call.rows * call.hidden, width = call.gates() * call.hidden;
  auto* d_product = static_cast<T*>(kCell == GatedCell::Lstm ? call.d_input : call.d_product);
  kernels.fill(call.dtype, pass.h(), 0.0, 2 * units);
  for (Index s = 0; s < call.steps; ++s) {
    StepBackward<T, kCell> step{};
    static_cast<RecurrentSteps&>(step) = pass.steps();
    step.t = call.reversed ? s : call.steps - 1 - s;
    step.before = call.reversed ? step.t + 1 : step.t - 1;
    step.start = static_cast<const T*>(call.start);
    step.gates_kept = static_cast<const T*>(call.record.gates);
    step.cells = static_cast<const T*>(call.record.cells);
    step.previous = static_cast<const T*>(call.record.previous);
    step.d_output = static_cast<const T*>(call.d_output);
    step.d_input = static_cast<T*>(call.d_input);
    step.d_product = d_product;
    step.d_h = pass.h();
    step.d_c = pass.c();
    pass.run("recurrence_backward", step);
    GemmCall gemm{.dtype = call.dtype, .transpose_b = true, .m = call.rows, .n = call.hidden, .k = width};
    gemm.a = d_product + step.t * width;
    gemm.lda = call.steps * width;
    gemm.b = call.weight;
    gemm.ldb = width;
    gemm.beta = 1.0;
    gemm.c = pass.h();
    gemm.ldc = call.hidden;
    kernels.gemm(gemm);
  }
  pass.put_together(call.d_start);
}

}  // namespace

void CudaSolvers::recurrence_forward(const RecurrenceForward& call) {
  if (call.rows <= 0 || call.hidden <= 0) return;
  with_type(call.dtype, [&](auto number) {
    using T = decltype(number);
    if (call.cell == GatedCell::Lstm) return forward<T, GatedCell::Lstm>(kernels_, call);
    forward<T, GatedCell::Gru>(kernels_, call);
  });
}

void CudaSolvers::recurrence_backward(const RecurrenceBackward& call) {
  if (call.rows <= 0 || call.hidden <= 0) return;
  with_type(call.dtype, [&](auto number) {
    using T = decltype(number);
    if (call.cell == GatedCell::Lstm) return backward<T, GatedCell::Lstm>(kernels_, call);
    backward<T, GatedCell::Gru>(kernels_, call);
  });
}

}  // namespace basin
