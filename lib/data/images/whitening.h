#pragma once

#include "tensor/tensor.h"

namespace basin {

/// A linear map of samples x, flat with D numbers, to K numbers whose covariance is the identity, and its way
/// back:
/// y = F (x - m), x ~ m + B y.
struct Whitening {
  Tensor mean;     // m [D]; f32 on the host, as the others
  Tensor forward;  // F [K, D]
  Tensor inverse;  // B [D, K]

  bool defined() const { return forward.defined(); }
};

enum class WhiteningKind {
  Pca,  // F = (L + e)^-1/2 U': coordinates along the principal directions, largest variance first; K =
        // directions kept
  Zca   // F = U (L + e)^-1/2 U': pixels stay pixels; K = D
};

struct WhiteningOptions {
  WhiteningKind kind = WhiteningKind::Zca;
  Index dimensions = 0;   // principal directions kept; 0 = all that vary
  double epsilon = 0.01;  // e = epsilon * mean variance of a pixel: keeps directions that hardly vary (noise)
                          // from being blown up
};

/// Fits to samples [N, ...] (f32 on the host) by the eigenvectors U and eigenvalues L of their covariance,
/// computed in f64. Directions with a variance below 1e-9 of the largest are left out (samples without mean
/// have one of none), so B F is the projection on what is kept; with epsilon = 0 the covariance of y is the
/// identity there.
///
/// The sign of an eigenvector is such that its largest component is positive. Throws Error for fewer than 2
/// samples, more than 4096 numbers a sample, samples that are all equal or not finite, a negative epsilon, or
/// more dimensions than vary.
/// Reference: Bell and Sejnowski 1997, "The 'independent components' of natural scenes are edge filters"
/// (ZCA); Hyvarinen, Hurri, Hoyer 2009, "Natural image statistics", section 5.
Whitening fit_whitening(const Tensor& samples, const WhiteningOptions& options = {});

/// y = F (x - m): [N, ...] of D numbers each to [N, K]. Throws Error for samples of another size. All three
/// take and give f32 on the host.
Tensor whiten(const Whitening& whitening, const Tensor& samples);
/// m + B y: [N, K] to [N, D].
Tensor unwhiten(const Whitening& whitening, const Tensor& samples);
/// B y: what a direction of the whitened space (an atom of a dictionary) is in the space of the samples:
/// [N, K] to [N, D].
Tensor unwhiten_directions(const Whitening& whitening, const Tensor& directions);
/// F' w: the filter of samples whose answer is that of w on whitened ones, w . F x: [N, K] to [N, D].
Tensor unwhiten_filters(const Whitening& whitening, const Tensor& filters);

}  // namespace basin
