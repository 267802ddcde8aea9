#include "energy/sample/choose.h"

#include <numeric>
#include <vector>

#include "autograd/indexed.h"
#include "autograd/ops.h"
#include "tensor/random.h"

namespace basin {

Value accepted(const Value& log_ratio, Key key, Index first) {
  const Value u = uniform(key, log_ratio.shape(), log_ratio.placement(), static_cast<std::uint64_t>(first));
  // exp of more than 0 may overflow, which is above u too; a NaN is above nothing.
  return step(exp(log_ratio.detached()) - u);
}

Value counting(Index count, Placement placement) {
  check_whole("sample", placement.dtype, count);
  std::vector<double> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0.0);
  return Tensor::from(numbers, {count}, placement);
}

Value rows_at(const Value& x, const Value& numbers) {
  const Index rows = x.dim(0), count = numbers.tensor().size();
  Indexing at;
  at.middle = rows;
  at.inner = rows > 0 ? x.tensor().size() / rows : 1;
  at.count = count;
  at.whole = at.chosen = x.shape();
  at.chosen[0] = count;
  return gathered(x, numbers.tensor(), at);
}

}  // namespace basin
