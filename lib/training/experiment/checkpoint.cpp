#include "training/experiment/checkpoint.h"

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

void write_checkpoint(Store& store, const std::vector<Parameter>& parameters, const Optimizer& optimizer,
                      const Average* average, const FitState& state, Index epoch) {
  std::map<std::string, Tensor> numbers, averages;
  for (const Parameter& parameter : parameters) numbers[parameter.name()] = parameter.tensor();
  if (average != nullptr) {
    for (const auto& [name, tensor] : average->state()) {
      averages[name.starts_with(kAverage) ? name.substr(kAverage.size()) : name] = tensor;
    }
  }
  write_tensors(store, "/parameters", numbers);
  write_tensors(store, "/optimizer", optimizer.state());
  write_tensors(store, "/average", averages);
  write_tensors(store, "/carry", state.carry);
  state.history.write(store);
  store.put("/checkpoint/step", std::vector<std::int64_t>{state.step}, {});
  store.put("/checkpoint/epoch", std::vector<std::int64_t>{epoch}, {});
}

FitState read_checkpoint(const Store& store, const std::vector<Parameter>& parameters, Optimizer& optimizer,
                         Average* average) {
  const Device device = parameters.empty() ? Device::Cpu : parameters.front().tensor().device();
  read_parameters(store, "/parameters", parameters);
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

void read_parameters(const Store& store, const std::string& group, const std::vector<Parameter>& parameters) {
  for (const Parameter& parameter : parameters) {
    const Tensor stored = store.tensor(group + "/" + parameter.name());
    if (stored.shape() != parameter.tensor().shape()) {
      throw Error(fmt::format(
          "[checkpoint] expected {}/{} of shape {}, received {}; the file is of another model", group,
          parameter.name(), to_string(parameter.tensor().shape()), to_string(stored.shape())));
    }
    parameter.tensor().copy_from(stored);
  }
}

Carry carry_of(const Store& store, Device device) { return read_tensors(store, "/carry", device); }

void write_preprocessing(Store& store, const Preprocessing& preprocessing) {
  store.remove("/preprocessing");
  if (preprocessing.is_identity()) return;
  store.put("/preprocessing/pixels", std::vector<std::int64_t>(preprocessing.pixels));
  store.put("/preprocessing/scale", std::vector<double>{preprocessing.scale});
  if (preprocessing.whitening.defined()) {
    store.put("/preprocessing/mean", preprocessing.whitening.mean);
    store.put("/preprocessing/forward", preprocessing.whitening.forward);
    store.put("/preprocessing/inverse", preprocessing.whitening.inverse);
  }
}

Preprocessing read_preprocessing(const Store& store) {
  Preprocessing preprocessing;
  if (!store.has("/preprocessing/pixels")) return preprocessing;
  preprocessing.pixels = store.integers("/preprocessing/pixels");
  preprocessing.scale = store.numbers("/preprocessing/scale").at(0);
  if (store.has("/preprocessing/mean")) {
    preprocessing.whitening = {.mean = store.tensor("/preprocessing/mean"),
                               .forward = store.tensor("/preprocessing/forward"),
                               .inverse = store.tensor("/preprocessing/inverse")};
  }
  return preprocessing;
}

}  // namespace basin
