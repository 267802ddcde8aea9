#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modules/activation.h"

namespace basin {

/// A row of the table of activations.
struct ActivationRow {
  struct Argument {
    std::string name;
    std::optional<double> fallback;  // none: it must be given
    double least, most;              // the range it must be in
    bool is_whole = false;
  };

  Activation::Kind kind;
  std::string name;                 // "leaky"
  std::vector<Argument> arguments;  // in the order in which they follow the name
  std::string formula;              // for people
};

/// All of them, in the order of Activation::Kind.
const std::vector<ActivationRow>& activations();

/// The row of that name; null where there is none.
const ActivationRow* find_activation(std::string_view name);

}  // namespace basin
