#include "tensor/flags.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace basin {

void Flags::check(Index i, Check what, const Tensor& x) {
  if (i < 0 || i >= count_)
    throw Error(fmt::format("[flags] expected a flag in 0 .. {}, received {}", count_ - 1, i));
  Tensor& flags = flags_[x.device()];
  if (!flags.defined()) flags = Tensor::zeros({count_}, {Dtype::F32, x.device()});
  backend(x.device()).check(what, x.dtype(), x.data(), x.size(), flags.rows(i, i + 1).data());
}

std::vector<Index> Flags::raised() const {
  std::vector<Index> up;
  std::vector<bool> all(static_cast<std::size_t>(count_));
  for (const auto& [device, flags] : flags_) {
    const std::vector<double> values = flags.values();
    for (std::size_t i = 0; i < values.size(); ++i) all[i] = all[i] || values[i] != 0.0;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i]) up.push_back(static_cast<Index>(i));
  }
  return up;
}

}  // namespace basin
