#pragma once

#include <memory>

#include "modules/module.h"

namespace basin {

/// Facet of a head: the codes g(x) that the stages below it give.
struct DeepCodes {
  static constexpr const char* kWhat = "stages below it";

  std::shared_ptr<const Module> encoder;
  Index codes = 0;
};

}  // namespace basin
