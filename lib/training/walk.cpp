#include "training/walk.h"

#include <fmt/format.h>

#include <numeric>
#include <span>
#include <string_view>
#include <utility>

#include "tensor/error.h"

namespace basin {

State samples_between(const Source& source, Index begin, Index end, Key key) {
  std::vector<Index> rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return source.batch(rows, key);
}

Walk::Walk(Source source, Index batch, Key key)
    : source_(std::move(source)), batch_(batch), steps_(batch > 0 ? source_.count() / batch : 0), key_(key) {
  if (steps_ < 1) {
    throw Error(fmt::format(
        "[fit] expected at least one batch of {} samples, received {} samples; lower the batch size", batch,
        source_.count()));
  }
}

State Walk::at(Index step) {
  const Index epoch = step / steps_;
  const auto fold = [&](std::string_view name) {
    return key_.fold(name).fold(static_cast<std::uint64_t>(epoch));
  };
  if (ordered_epoch_ != epoch) {
    order_ = source_.order(fold("order"), batch_);
    ordered_epoch_ = epoch;
  }
  const std::span<const Index> all = order_;
  return source_.batch(
      all.subspan(static_cast<std::size_t>(step % steps_ * batch_), static_cast<std::size_t>(batch_)),
      fold("pixels"));
}

}  // namespace basin
