#pragma once

#include <string>

#include "energy/variable.h"

namespace basin {

/// Facet of a stage: what the numbers are that its encoder gives, for people and for the files that hold
/// them.
struct CodeWords {
  static constexpr const char* kWhat = "codes in words";

  std::string text = {};      // "means of h given the sample"
  std::string unit = "none";  // of each: "probability", "of the samples", ...
};

/// Those of the encoder by default (latent_encoders.h): the conditional mean of one latent, the mean of the
/// last of several under mean field.
CodeWords words_of_latents(const Block& latents);

}  // namespace basin
