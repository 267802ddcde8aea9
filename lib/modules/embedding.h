#pragma once

#include "modules/module.h"

namespace basin {

struct EmbeddingOptions {
  double deviation = 1.0;  // of the normal numbers that rows start with
  Placement placement = {};
};

/// y = the rows of a table that indices name: x [N, ..] of whole numbers in 0 .. count - 1, table "weight"
/// [count, size], y [N, .., size]. The gradient in x is none.
///
/// Throws Error when an extent is below 1; forward, naming the index, where one is no row.
class Embedding final : public Module {
 public:
  Embedding(Index count, Index size, Key key, EmbeddingOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override { return {weight_}; }

 private:
  Parameter weight_;
};

}  // namespace basin
