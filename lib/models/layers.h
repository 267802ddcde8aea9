#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "modules/initializer.h"
#include "modules/module.h"
#include "modules/sequential/sequential.h"

namespace basin {

/// One layer of a network that is not built yet.
struct Layer {
  std::string text = {};    // "conv 20 5x5"
  Shape out = {};           // of what it makes of one sample
  Index parameters = 0;     // trained numbers
  Index multiply_adds = 0;  // of its products, forward, for one sample
  Initializer initializer = {};
  std::function<std::shared_ptr<const Module>(const Initializer& initializer, Key key, Placement placement)>
      build = {};
};

/// Reads a network from the texts of its layers, bottom up, for samples of a shape:
///   dense K [no_bias]                             K units on the flattened sample
///   conv K HxW [stride S] [pad P] [dilation D] [groups G] [connections lenet5]     K maps
///   conv_transpose K HxW [stride S] [pad P] [dilation D] [groups G]
///   conv1d K L, conv_transpose1d K L              the same along sequences [channels, length]
///   local K HxW [stride S] [pad P]                a filter of its own at each place
///   pool max|average HxW [stride S] [pad P], pool lp HxW [p 2], pool log_sum_exp HxW [beta 1]
///   tap, join                                     join puts what all taps below it saw, flattened, before
///                                                 what is there: features of several stages
///   batch_norm, layer_norm, local_contrast [N], dropout P, flatten
///   and the activations by name (modules/activations.h): relu, leaky 0.1, maxout 4, ...
/// S, P and D are "2" or "2x1"; P is at most the extent of the maps; windows of a pool lie side by side where
/// no stride is said. Samples [H, W] are made one map, by a layer below all, but where the first layer is
/// conv1d or conv_transpose1d. Weights below a kin of relu start as in He et al. 2015, others as in Glorot
/// and Bengio 2010.
///
/// Nothing is allocated. Throws Error "[layers] layer 3 'conv 20 5x5': expected ..." for what is unknown or
/// does not fit.
std::vector<Layer> read_layers(const std::vector<std::string>& texts, const Shape& sample);

/// Throws Error, which begins with [who], where there is no layer, or one by which what is made of a sample
/// is no function of that sample alone: batch_norm, dropout, rrelu. Asked of energies, which chains,
/// differences and sums over latents compare with each other.
void require_plain_layers(const char* who, const std::vector<std::string>& texts);

/// These layers, one after another; layer i draws its weights under key.fold(i), and its parameters are
/// "<i>.<name>". Throws Error, before anything is drawn, for parameters and outputs of one sample that take
/// more than half of the machine's memory.
std::shared_ptr<const Sequential> build_layers(const std::vector<Layer>& layers, Key key, Placement placement,
                                               SequentialOptions options = {});

}  // namespace basin
