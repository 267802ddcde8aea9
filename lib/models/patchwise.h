#pragma once

#include <array>
#include <memory>

#include "energy/fuse.h"
#include "modules/module.h"

namespace basin {

struct PatchwiseOptions {
  std::array<Index, 2> stride = {1, 1};
  Fuse fuse = Fuse::Auto;  // Auto: f(x W + b) with f number by number is computed as a correlation
};

/// An encoder of patches at every place of images: y[n, :, i, j] = g(x[n, :, s i ... s i + h - 1, s j ...
/// s j + w - 1]), images [N, C, H, W], or [N, H, W] of one channel, maps y [N, K, H', W'], H' = floor((H - h)
/// / s) + 1. g is given patches [.., C, h, w], or [.., h, w] of images [N, H, W], and gives K numbers of
/// each. Patches without padding: every number of y is g of a patch that it could have learned from.
///
/// Parameters are those of g, by their names. What g draws it draws for each patch, numbered by its sample's
/// number and its place. Throws Error for extents below 1 and images that are smaller than a patch.
/// Reference: Jarrett, Kavukcuoglu, Ranzato, LeCun 2009, "What is the best multi-stage architecture for
/// object recognition?", section 2: filters that patches have taught, as a layer.
class Patchwise final : public Module {
 public:
  Patchwise(std::shared_ptr<const Module> encoder, std::array<Index, 2> size, PatchwiseOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override { return encoder_->parameters(); }
  bool is_affine() const override { return encoder_->is_affine(); }
  /// Whether it is computed as a correlation.
  bool fuses() const;

 private:
  std::shared_ptr<const Module> encoder_;
  std::array<Index, 2> size_;
  PatchwiseOptions options_;
};

}  // namespace basin
