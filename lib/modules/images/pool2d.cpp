#include "modules/images/pool2d.h"

#include <algorithm>

#include "tensor/error.h"

namespace basin {

Pool2d::Pool2d(Kind kind, std::array<Index, 2> size, Pool2dOptions options)
    : kind_(kind), window_{size, options.stride, options.padding}, p_(options.p), beta_(options.beta) {
  // A map that is one window shows at once what makes no sense.
  forward(
      Tensor::zeros({1, 1, std::clamp<Index>(size[0], 1, 1 << 10), std::clamp<Index>(size[1], 1, 1 << 10)}));
}

Value Pool2d::forward(const Value& x, const Context&) const {
  switch (kind_) {
    case Kind::Max:
      return max_pool2d(x, window_).y;
    case Kind::Average:
      return average_pool2d(x, window_);
    case Kind::Lp:
      return lp_pool2d(x, window_, p_);
    case Kind::LogSumExp:
      return log_sum_exp_pool2d(x, window_, beta_);
  }
  throw Error("[pool2d] expected a Kind, received a number that is none");
}

}  // namespace basin
