#pragma once

#include <memory>

#include "modules/module.h"

namespace basin {

/// Facet of a stage whose decoder gives probabilities, for who takes their cross-entropy.
struct DecoderLogits {
  static constexpr const char* kWhat = "a decoder that gives probabilities";
  std::shared_ptr<const Module>
      module;  // codes -> f(z), the decoder sigma(f(z)); parameters are the decoder's
};

}  // namespace basin
