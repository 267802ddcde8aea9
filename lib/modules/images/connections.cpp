#include "modules/images/connections.h"

#include <fmt/format.h>

#include <span>

#include "tensor/error.h"

namespace basin {

Connections lenet5_connections() {
  Connections table;
  const auto neighbours = [&](Index count, Index maps) {  // `count` in a row, beginning at map 0, 1, ...
    for (Index first = 0; first < maps; ++first) {
      std::vector<Index>& row = table.emplace_back();
      for (Index i = 0; i < count; ++i) row.push_back((first + i) % 6);
    }
  };
  neighbours(3, 6);
  neighbours(4, 6);
  for (Index first = 0; first < 3; ++first)  // two and two, with one between them
    table.push_back({first, (first + 1) % 6, (first + 3) % 6, (first + 4) % 6});
  neighbours(6, 1);
  return table;
}

Tensor connection_mask(const Connections& connections, Index outputs, Index inputs, Placement placement) {
  if (static_cast<Index>(connections.size()) != outputs) {
    throw Error(fmt::format("[connections] expected a row for each of {} outputs, received {}", outputs,
                            connections.size()));
  }
  std::vector<double> mask(static_cast<std::size_t>(outputs * inputs), 0.0);
  for (std::size_t k = 0; k < connections.size(); ++k) {
    if (connections[k].empty())
      throw Error(fmt::format("[connections] expected an input of output {}, received none", k));
    for (const Index c : connections[k]) {
      const Index at = static_cast<Index>(k) * inputs + c;
      if (c < 0 || c >= inputs || mask[static_cast<std::size_t>(at)] != 0.0) {
        throw Error(fmt::format(
            "[connections] expected inputs in 0 .. {}, each once, received {} of output {}; check the table",
            inputs - 1, c, k));
      }
      mask[static_cast<std::size_t>(at)] = 1.0;
    }
  }
  return Tensor::from(std::span<const double>(mask), {outputs, inputs, 1, 1}, placement);
}

}  // namespace basin
