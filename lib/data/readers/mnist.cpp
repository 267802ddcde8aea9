#include "data/readers/mnist.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/readers/idx.h"
#include "tensor/error.h"

namespace basin {

Samples read_mnist(const std::string& images, const std::string& labels, const ImportLimit& limit) {
  constexpr Index kSide = 28;
  constexpr int kClasses = 10;
  const IdxArray label_bytes = read_idx(labels, 1, limit);
  IdxArray pixels = read_idx(images, 3, limit);
  if (pixels.shape[1] != kSide || pixels.shape[2] != kSide) {
    throw Error(
        fmt::format("[mnist] {}: expected images of 28 x 28, received {}", images, to_string(pixels.shape)));
  }
  if (pixels.shape[0] != label_bytes.shape[0]) {
    throw Error(fmt::format("[mnist] {} holds {} images, but {} holds {} labels; take both from the same set",
                            images, pixels.shape[0], labels, label_bytes.shape[0]));
  }
  if (std::ranges::any_of(label_bytes.bytes, [](std::uint8_t label) { return label >= kClasses; })) {
    throw Error(fmt::format("[mnist] {}: expected labels 0 to 9, received {}", labels,
                            *std::ranges::max_element(label_bytes.bytes)));
  }
  return {byte_column("image", {kSide, kSide}, std::move(pixels.bytes)),
          integer_column("label", {}, {label_bytes.bytes.begin(), label_bytes.bytes.end()}, kClasses)};
}

}  // namespace basin
