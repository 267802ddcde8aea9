#include "training/code_words.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace basin {

CodeWords words_of_latents(const Block& latents) {
  if (latents.empty()) throw Error("[code_words] expected latents, received none");
  const Variable& last = latents.back();
  const bool are_bits = last.domain == Domain::Binary || last.domain == Domain::Categorical;
  return {.text = fmt::format("{} of {} given the sample{}", are_bits ? "probabilities" : "means", last.name,
                              latents.size() > 1 ? ", under mean field" : ""),
          .unit = are_bits ? "probability" : "none"};
}

}  // namespace basin
