#pragma once

#include <memory>
#include <utility>

#include "models/layer_words.h"
#include "models/layers.h"

namespace basin {

/// Reads one kind of layer from its words, for samples of a shape; all that layers.h lists beside the
/// activations. Those here lay filters or windows over samples.
using ReadLayer = Layer(LayerWords& words, const Shape& in);

ReadLayer read_conv, read_conv_transpose, read_conv1d, read_conv_transpose1d, read_local, read_pool,
    read_local_contrast;

template <class M>
std::shared_ptr<const Module> shared(M module) {
  return std::make_shared<const M>(std::move(module));
}

/// Throw Error as the words do where the product or the sum is beyond 2^63.
Index product(const LayerWords& words, std::initializer_list<Index> factors);
Index sum(const LayerWords& words, Index a, Index b);

}  // namespace basin
