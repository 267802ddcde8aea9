#include "training/kinds/target_column.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace basin {

const Column& target_column(const std::string& kind, const Samples& samples,
                            const std::function<bool(const Column&)>& fits, const std::string& what) {
  std::string names;
  for (std::size_t i = 0; i < samples.columns.size(); ++i) {
    if (i > 0 && fits(samples.columns[i])) return samples.columns[i];
    names += (i == 0 ? "" : ", ") + samples.columns[i].name();
  }
  throw Error(
      fmt::format("[{}] expected {}, received the columns {}; take another data set", kind, what, names));
}

}  // namespace basin
