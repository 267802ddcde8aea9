#include "modules/embedding.h"

#include "autograd/ops.h"
#include "modules/initializer.h"

namespace basin {

Embedding::Embedding(Index count, Index size, Key key, EmbeddingOptions options)
    : weight_("weight", Initializer{Initializer::Kind::Normal, options.deviation}.weights(
                            count, size, key.fold("weight"), options.placement)) {}

Value Embedding::forward(const Value& x, const Context&) const {
  return embedding(weight_.value(), x.tensor());
}

}  // namespace basin
