#include "modules/sequential/sequential.h"

#include <algorithm>
#include <string>
#include <utility>

#include "modules/sequential/fused_layers.h"
#include "modules/sequential/join.h"
#include "tensor/error.h"

namespace basin {

Sequential& Sequential::add(std::shared_ptr<const Module> module) {
  if (!module) throw Error("[sequential] expected a module, received null; construct it first");
  modules_.push_back(std::move(module));
  return *this;
}

Value Sequential::forward(const Value& x, const Context& context) const {
  Value y = x;
  std::vector<Value> kept;
  for (std::size_t i = 0; i < modules_.size();) {
    if (std::optional<FusedLayers> fused =
            options_.fused ? fused_layers(modules_, i, y) : std::optional<FusedLayers>()) {
      y = std::move(fused->y);
      i += fused->modules;
    } else {
      y = next(i, y, kept, context);
      ++i;
    }
  }
  return y;
}

std::vector<Value> Sequential::outputs(const Value& x, const Context& context) const {
  std::vector<Value> all, kept;
  for (std::size_t i = 0; i < modules_.size(); ++i)
    all.push_back(next(i, i == 0 ? x : all.back(), kept, context));
  return all;
}

Value Sequential::next(std::size_t i, const Value& y, std::vector<Value>& kept,
                       const Context& context) const {
  const Module& module = *modules_[i];
  if (dynamic_cast<const Tap*>(&module) != nullptr) kept.push_back(y);
  if (dynamic_cast<const Join*>(&module) != nullptr) return Join::joined(std::exchange(kept, {}), y);
  return module.forward(y, context.fold(i));
}

bool Sequential::fuses() const {
  std::size_t i = 0;
  while (i < modules_.size() && !are_fused_layers(modules_, i)) ++i;
  return options_.fused && i < modules_.size();
}

std::vector<Parameter> Sequential::parameters() const {
  std::vector<Parameter> result;
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    for (const Parameter& parameter : modules_[i]->parameters()) {
      result.push_back(parameter.prefixed(std::to_string(i)));
    }
  }
  return result;
}

bool Sequential::ends_at_lengths() const {
  return std::any_of(modules_.begin(), modules_.end(),
                     [](const auto& module) { return module->ends_at_lengths(); });
}

bool Sequential::is_affine() const {
  return std::all_of(modules_.begin(), modules_.end(),
                     [](const auto& module) { return module->is_affine(); });
}

}  // namespace basin
