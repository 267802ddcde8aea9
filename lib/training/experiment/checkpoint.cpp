#include "training/experiment/checkpoint.h"

#include <fmt/format.h>

#include <iterator>
#include <string>

#include "tensor/error.h"
#include "tensor/flags.h"

namespace basin {
namespace {

constexpr const char* kAgain = "take another copy of the file, or run it again with --force";

/// Throws NotFinite naming the first tensor with a number that is not finite.
void expect_finite(const std::map<std::string, Tensor>& tensors, const std::string& where,
                   const std::string& advice) {
  Flags flags(static_cast<Index>(tensors.size()));
  Index flag = 0;
  for (const auto& [name, tensor] : tensors) flags.check(flag++, Check::Finite, tensor);
  const std::vector<Index> raised = flags.raised();
  if (raised.empty()) return;
  throw NotFinite(fmt::format("[checkpoint] {}/{} holds a number that is not finite; {}", where,
                              std::next(tensors.begin(), raised.front())->first, advice));
}

void write_tensors(Store& store, const std::string& group, const std::map<std::string, Tensor>& tensors) {
  expect_finite(tensors, group, "lower the learning rate");
  store.remove(group);
  for (const auto& [name, tensor] : tensors) {
    store.put(group + "/" + name, tensor);
  }
}

std::map<std::string, Tensor> read_tensors(const Store& store, const std::string& group, Device device) {
  std::map<std::string, Tensor> tensors;
  for (const std::string& path : store.list(group)) {
    tensors[path.substr(group.size() + 1)] = store.tensor(path, device);
  }
  expect_finite(tensors, fmt::format("{}: {}", store.source(), group), kAgain);
  return tensors;
}

[[noreturn]] void refuse(const Store& store, const std::string& what) {
  throw Error(fmt::format("[checkpoint] {}: cannot be gone on from: it holds {}; run it again with --force",
                          store.source(), what));
}

/// Moments rise from 1 to `last`, and every metric has a number for each.
void check_table(const Store& store, const History::Table& table, Index last, const char* what) {
  Index before = 0;
  for (const Index at : table.at) {
    if (at <= before || at > last) refuse(store, fmt::format("metrics of {} {}, {} done", what, at, last));
    before = at;
  }
  for (const auto& [name, column] : table.columns) {
    if (column.size() != table.at.size())
      refuse(store, fmt::format("{} numbers of {} for {} {}s", column.size(), name, table.at.size(), what));
  }
}

/// The number of steps done against all that was made by them.
void check_counts(const Store& store, const FitState& state) {
  if (state.step < 0) refuse(store, fmt::format("step {}", state.step));
  if (state.step == 0 && !state.carry.empty())
    refuse(store, fmt::format("{} before the first step", state.carry.begin()->first));
  check_table(store, state.history.steps(), state.step, "step");
}

}  // namespace

void write_checkpoint(Store& store, const std::vector<Parameter>& parameters, const Optimizer& optimizer,
                      const Average* average, const FitState& state, Index epoch) {
  NamedTensors numbers;
  for (const Parameter& parameter : parameters) numbers[parameter.name()] = parameter.tensor();
  write_tensors(store, "/parameters", numbers);
  write_tensors(store, "/optimizer", optimizer.state());
  write_tensors(store, "/average", average != nullptr ? average->state() : NamedTensors{});
  write_tensors(store, "/carry", state.carry);
  write_tensors(store, "/best", state.best);
  state.history.write(store);
  store.put_integer("/checkpoint/step", state.step);
  store.put_integer("/checkpoint/epoch", epoch);
}

FitState read_checkpoint(const Store& store, const std::vector<Parameter>& parameters, Optimizer& optimizer,
                         Average* average) {
  const Device device = parameters.empty() ? Device::Cpu : parameters.front().tensor().device();
  read_parameters(store, "/parameters", parameters);
  optimizer.restore(read_tensors(store, "/optimizer", device));
  if (average != nullptr) average->restore(read_tensors(store, "/average", device));
  FitState state;
  state.carry = read_tensors(store, "/carry", device);
  state.best = read_tensors(store, "/best", device);
  state.history = History::read(store);
  state.step = store.integer("/checkpoint/step");
  check_counts(store, state);
  return state;
}

void check_steps(const Store& store, const FitState& state, const StepCounts& counts) {
  const Index epoch = store.integer("/checkpoint/epoch");
  if (state.step > counts.steps_per_epoch * counts.epochs || epoch != state.step / counts.steps_per_epoch) {
    refuse(store, fmt::format("step {} of epoch {}, of a training of {} epochs of {} steps", state.step,
                              epoch, counts.epochs, counts.steps_per_epoch));
  }
  // The first step is measured, and every metrics_every-th after it.
  const std::vector<std::int64_t>& steps = state.history.steps().at;
  const Index expected = (state.step + counts.metrics_every - 1) / counts.metrics_every;
  bool agrees = std::ssize(steps) == expected;
  for (Index i = 0; agrees && i < expected; ++i)
    agrees = steps[static_cast<std::size_t>(i)] == i * counts.metrics_every + 1;
  if (!agrees) {
    refuse(store, fmt::format("metrics of {} steps, the last {}, where {} steps, one in {} measured, have {}",
                              steps.size(), steps.empty() ? 0 : steps.back(), state.step,
                              counts.metrics_every, expected));
  }
  const History::Table& measured = state.history.epochs();
  check_table(store, measured, epoch, "epoch");
  if (static_cast<Index>(measured.at.size()) != epoch)
    refuse(store, fmt::format("metrics of {} epochs, {} done", measured.at.size(), epoch));
}

void read_parameters(const Store& store, const std::string& group, const std::vector<Parameter>& parameters) {
  for (const Parameter& parameter : parameters) {
    const Tensor stored = store.tensor(group + "/" + parameter.name());
    if (stored.shape() != parameter.tensor().shape()) {
      throw Error(fmt::format(
          "[checkpoint] expected {}/{} of shape {}, received {}; the file is of another model", group,
          parameter.name(), to_string(parameter.tensor().shape()), to_string(stored.shape())));
    }
    expect_finite({{parameter.name(), stored}}, fmt::format("{}: {}", store.source(), group), kAgain);
    parameter.tensor().copy_from(stored);
  }
}

Carry carry_of(const Store& store, Device device) { return read_tensors(store, "/carry", device); }

}  // namespace basin
