#pragma once

#include <string_view>

#include "modules/linear.h"
#include "modules/module.h"

namespace basin {

/// How an encoder turns its filters' outputs a into codes; s is a trainable number for each atom.
enum class EncoderKind {
  Shrinkage,  // sign(a) max(0, |a| - |s|)
  Tanh,       // s tanh(a)
  Relu        // max(0, a)
};

/// "shrinkage", "tanh" or "relu". Throws Error on any other name.
EncoderKind parse_encoder_kind(std::string_view name);

/// The nonlinearity alone; s broadcasts against a, and is not read by Relu.
Value encode(EncoderKind kind, const Value& a, const Value& s);

/// What s starts from: 0.1 for Shrinkage, 1 for Tanh.
double initial_scale(EncoderKind kind);

struct EncoderOptions {
  EncoderKind kind = EncoderKind::Shrinkage;
  Initializer initializer = {};
  Placement placement = {};
};

/// g(y): a code in one pass, of y [N, ...] (flattened): a = y W + b, W [features, atoms], then
/// encode(kind, a, s).
/// Parameters "weight", "bias", and "threshold" (Shrinkage) or "gain" (Tanh).
/// Reference: Kavukcuoglu, Ranzato, LeCun 2010, "Fast inference in sparse coding algorithms", eq. 5 (tanh
/// with gain); Gregor, LeCun 2010, sec. 2.1 (shrinkage).
class Encoder final : public Module {
 public:
  Encoder(Index features, Index atoms, Key key, EncoderOptions options = {});

  Value forward(const Value& y, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;

  EncoderKind kind() const { return kind_; }
  const Linear& filters() const { return filters_; }
  const Parameter& weight() const { return filters_.weight(); }
  /// The threshold or gain; none for Relu.
  const std::optional<Parameter>& scale() const { return scale_; }

 private:
  EncoderKind kind_;
  Linear filters_;
  std::optional<Parameter> scale_;
};

}  // namespace basin
