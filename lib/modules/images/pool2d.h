#pragma once

#include "autograd/ops.h"
#include "modules/module.h"

namespace basin {

struct Pool2dOptions {
  std::array<Index, 2> stride = {0, 0};  // 0: the window's size; less: windows overlap
  std::array<Index, 2> padding = {0, 0};
  double p = 2.0;     // of Kind::Lp, >= 1
  double beta = 1.0;  // of Kind::LogSumExp, > 0
};

/// One number a window of each map, without parameters: [N, C, H, W] -> [N, C, H', W'], H' = floor((H + 2p -
/// h) / s) + 1. Ties of a maximum go to the first in row-major order; max_pool2d and unpool2d
/// (autograd/ops.h) have the indices.
///
/// Throws Error for windows, padding, p or beta that make no sense, forward where x is too small.
class Pool2d final : public Module {
 public:
  enum class Kind {
    Max,
    Average,   // padding counts as zeros
    Lp,        // (sum |x|^p)^(1/p)
    LogSumExp  // 1/beta log sum exp(beta x)
  };

  Pool2d(Kind kind, std::array<Index, 2> size, Pool2dOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  bool is_affine() const override { return kind_ == Kind::Average; }
  Kind kind() const { return kind_; }
  const Window2d& window() const { return window_; }

 private:
  Kind kind_;
  Window2d window_;
  double p_, beta_;
};

}  // namespace basin
