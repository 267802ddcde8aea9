#pragma once

#include <memory>
#include <optional>

#include "energy/factors/squared_error.h"
#include "energy/minimise/rule.h"
#include "modules/conv2d.h"

namespace basin {

/// The pattern of the rewrite rule "convolutional_lasso": of the factors that read z there are
///   weight / 2 |y - D z|^2, D a ConvTranspose2d that crops less than its filters, images at least 16 wide,
///   lambda |z|_1, for a real or a non-negative z,
///   and, as in predictive sparse decomposition, at most one attraction / 2 |z - g(y)|^2 with any module g.
struct ConvLasso {
  Variable y, z;
  std::shared_ptr<const SquaredError> decoding, prediction;  // prediction may be null
  const ConvTranspose2d* decoder = nullptr;                  // of `decoding`
  double weight = 0.0, attraction = 0.0, lambda = 0.0;
};

/// Recognises by factor types, domains and shapes; nullopt when any other factor reads z.
std::optional<ConvLasso> recognise_conv_lasso(const Split& split);

/// The rule "convolutional_lasso": one pass over the codes an iteration, with correlation, shrinkage and
/// momentum together, and decoding by those codes that are not zero where these are few. nullopt where the
/// pattern is another, the device has no solvers, or the transition neither Ista nor Fista with a Lipschitz
/// or a fixed step. The Lipschitz constant is that of conv_lipschitz(), an upper bound, where the derived
/// path has the power method.
std::optional<InferenceRule> conv_lasso_rule(const Inference& inference);

/// An upper bound of the largest eigenvalue of D'D for filters w [K, C, h, w] on images of any size, at most
/// 5 % above it for one channel: max over frequencies of sum_{k,c} |w^[k,c]|^2, from samples of this
/// trigonometric polynomial.
/// Reference: Ehlich and Zeller 1964, "Schwankung von Polynomen zwischen Gitterpunkten" (between the samples
/// it rises by at most 1 / cos(pi n / N) for degree n and N samples).
double conv_lipschitz(const Tensor& filters);

}  // namespace basin
