#include "training/checkpoint.h"

#include <fmt/format.h>

#include <string>

#include "tensor/error.h"

namespace basin {
namespace {

const std::string kAverage = "average.";

void write_tensors(Store& store, const std::string& group, const std::map<std::string, Tensor>& tensors) {
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
  return tensors;
}

}  // namespace

void write_checkpoint(Store& store, const FactorGraph& graph, const Optimizer& optimizer,
                      const Average* average, const FitState& state, Index epoch) {
  std::map<std::string, Tensor> parameters, averages;
  for (const Parameter& parameter : graph.parameters()) {
    parameters[parameter.name()] = parameter.tensor();
  }
  if (average != nullptr) {
    for (const auto& [name, tensor] : average->state()) {
      averages[name.starts_with(kAverage) ? name.substr(kAverage.size()) : name] = tensor;
    }
  }
  write_tensors(store, "/parameters", parameters);
  write_tensors(store, "/optimizer", optimizer.state());
  write_tensors(store, "/average", averages);
  write_tensors(store, "/carry", state.carry);
  state.history.write(store);
  store.put("/checkpoint/step", std::vector<std::int64_t>{state.step}, {});
  store.put("/checkpoint/epoch", std::vector<std::int64_t>{epoch}, {});
}

FitState read_checkpoint(const Store& store, const FactorGraph& graph, Optimizer& optimizer,
                         Average* average) {
  const Device device = graph.placement().device;
  read_parameters(store, "/parameters", graph);
  optimizer.restore(read_tensors(store, "/optimizer", device));
  if (average != nullptr) {
    NamedTensors averages;
    for (const auto& [name, tensor] : read_tensors(store, "/average", device)) {
      averages[name == "count" ? name : kAverage + name] = tensor;
    }
    average->restore(averages);
  }
  FitState state;
  state.carry = read_tensors(store, "/carry", device);
  state.history = History::read(store);
  state.step = store.integers("/checkpoint/step").at(0);
  return state;
}

void read_parameters(const Store& store, const std::string& group, const FactorGraph& graph) {
  for (const Parameter& parameter : graph.parameters()) {
    const Tensor stored = store.tensor(group + "/" + parameter.name());
    if (stored.shape() != parameter.tensor().shape()) {
      throw Error(fmt::format(
          "[checkpoint] expected {}/{} of shape {}, received {}; the file is of another model", group,
          parameter.name(), to_string(parameter.tensor().shape()), to_string(stored.shape())));
    }
    parameter.tensor().copy_from(stored);
  }
}

}  // namespace basin
