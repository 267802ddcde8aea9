#include "tensor/guard/guard_solvers.h"

#include <atomic>
#include <utility>

#include "tensor/guard/access.h"

namespace basin {
namespace {

using Opening = GuardedMemory::Opening;

Opening open_lasso(GuardedMemory& memory, const char* who, const LassoCall& call) {
  const Index codes = call.rows * call.codes;
  return {memory,
          who,
          {reads(call.dtype, call.gram, call.codes * call.codes), reads(call.dtype, call.linear, codes),
           reads(call.dtype, call.constant, call.rows), writes(call.dtype, call.z, codes),
           writes(Dtype::F64, call.gap, call.rows), writes(Dtype::F64, call.steps, call.rows)}};
}

class GuardConvLasso final : public ConvLassoSolver {
 public:
  GuardConvLasso(Solvers& solvers, GuardedMemory& memory, const ConvLassoProblem& problem, void* room)
      : memory_(memory), problem_(problem), room_{room, solvers.conv_lasso_room(problem), true} {
    const Opening open(
        memory_, "conv_lasso",
        {filters(), images(), room_, optional(reads(problem.dtype, problem.target, problem.code_size())),
         optional(reads(problem.dtype, problem.start, problem.code_size()))});
    solver_ = solvers.conv_lasso(problem, room);
  }

  void move(std::span<const Index> which) override {
    const Opening open(memory_, "conv_lasso.move", {filters(), images(), room_});
    solver_->move(which);
  }

  void steps(std::span<const Index> which, std::span<ConvLassoSums> sums) override {
    solver_->steps(which, sums);
  }

  void measure(std::span<const Index> which, std::span<ConvLassoSums> sums) override {
    const Opening open(memory_, "conv_lasso.measure", {filters(), images(), room_});
    solver_->measure(which, sums);
  }

  void read(Index image, void* z) override {
    const Index size = problem_.code_size() / problem_.images;
    const Opening open(memory_, "conv_lasso.read", {room_, writes(problem_.dtype, z, size)});
    solver_->read(image, z);
  }

 private:
  Access filters() const { return reads(problem_.dtype, problem_.w, problem_.w_size()); }
  Access images() const { return reads(problem_.dtype, problem_.y, problem_.image_size()); }

  GuardedMemory& memory_;
  ConvLassoProblem problem_;
  Access room_;
  std::unique_ptr<ConvLassoSolver> solver_;
};

std::atomic<int> without{0};

}  // namespace

void GuardSolvers::dictionary(const DictionaryCall& call) {
  const Index size = call.atoms * call.features;
  const Opening open(memory_, "dictionary",
                     {reads(call.dtype, call.gram, call.atoms * call.atoms),
                      reads(call.dtype, call.cross, size), writes(call.dtype, call.dictionary, size)});
  solvers_.dictionary(call);
}

void GuardSolvers::lasso_descent(const LassoCall& call) {
  const Opening open = open_lasso(memory_, "lasso_descent", call);
  solvers_.lasso_descent(call);
}

void GuardSolvers::lasso_gradient(const LassoCall& call) {
  const Opening open = open_lasso(memory_, "lasso_gradient", call);
  solvers_.lasso_gradient(call);
}

std::size_t GuardSolvers::conv_lasso_room(const ConvLassoProblem& problem) const {
  return solvers_.conv_lasso_room(problem);
}

std::unique_ptr<ConvLassoSolver> GuardSolvers::conv_lasso(const ConvLassoProblem& problem, void* room) {
  return std::make_unique<GuardConvLasso>(solvers_, memory_, problem, room);
}

void GuardSolvers::recurrence_forward(const RecurrenceForward& call) {
  const Index size = call.output_size(), state = call.rows * call.states() * call.hidden;
  const Opening open(
      memory_, "recurrence_forward",
      {reads(call.dtype, call.input, size * call.gates()),
       reads(call.dtype, call.weight, call.hidden * call.gates() * call.hidden),
       optional(reads(call.dtype, call.bias, call.hidden)), reads(call.dtype, call.start, state),
       writes(call.dtype, call.output, size), writes(call.dtype, call.end, state),
       optional(writes(call.dtype, call.record.gates, 4 * size)),
       optional(writes(call.dtype, call.record.cells, size)),
       optional(writes(call.dtype, call.record.previous, size))});
  solvers_.recurrence_forward(call);
}

void GuardSolvers::recurrence_backward(const RecurrenceBackward& call) {
  const Index size = call.output_size(), state = call.rows * call.states() * call.hidden;
  const Opening open(
      memory_, "recurrence_backward",
      {reads(call.dtype, call.weight, call.hidden * call.gates() * call.hidden),
       reads(call.dtype, call.start, state), reads(call.dtype, call.record.gates, 4 * size),
       optional(reads(call.dtype, call.record.cells, size)), reads(call.dtype, call.record.previous, size),
       reads(call.dtype, call.d_output, size), writes(call.dtype, call.d_input, size * call.gates()),
       optional(writes(call.dtype, call.d_product, size * call.gates())),
       writes(call.dtype, call.d_start, state)});
  solvers_.recurrence_backward(call);
}

WithoutGuardSolvers::WithoutGuardSolvers() { ++without; }
WithoutGuardSolvers::~WithoutGuardSolvers() { --without; }
bool WithoutGuardSolvers::any() { return without > 0; }

}  // namespace basin
