#include "data/images/whitening.h"

#include <fmt/format.h>

#include <algorithm>
#include <armadillo>
#include <cmath>

#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kMostNumbers = 4096;     // of a sample: beyond, the decomposition takes minutes
constexpr double kLeastVariance = 1e-9;  // of the largest: below is rounding
constexpr arma::uword kChunk = 4096;     // samples held in f64 at a time

/// The same bytes, one sample a column.
arma::fmat columns(const Tensor& samples, Index size) {
  if (!samples.defined() || samples.rank() < 1 || samples.size() != samples.dim(0) * size) {
    throw Error(fmt::format("[whitening] expected samples of {} numbers, received {}", size,
                            samples.defined() ? to_string(samples.shape()) : "none"));
  }
  return {samples.host<float>(), static_cast<arma::uword>(size), static_cast<arma::uword>(samples.dim(0)),
          false, true};
}

/// Row-major [rows, columns] is a column-major (columns x rows).
arma::fmat transposed(const Tensor& matrix) { return columns(matrix, matrix.dim(1)); }

Tensor to_tensor(const arma::fmat& transposed_matrix, Shape shape) {
  Tensor tensor(std::move(shape));
  std::copy(transposed_matrix.begin(), transposed_matrix.end(), tensor.host<float>());
  return tensor;
}

/// Mean and covariance (divided by N) in f64.
struct Moments {
  arma::vec mean;
  arma::mat covariance;
};

Moments moments(const arma::fmat& samples) {
  Moments result{arma::vec(samples.n_rows, arma::fill::zeros),
                 arma::mat(samples.n_rows, samples.n_rows, arma::fill::zeros)};
  const auto in_chunks = [&](auto&& body) {
    for (arma::uword first = 0; first < samples.n_cols; first += kChunk) {
      body(arma::conv_to<arma::mat>::from(samples.cols(first, std::min(first + kChunk, samples.n_cols) - 1)));
    }
  };
  const auto count = static_cast<double>(samples.n_cols);
  in_chunks([&](const arma::mat& chunk) { result.mean += arma::sum(chunk, 1) / count; });
  in_chunks([&](arma::mat chunk) {
    chunk.each_col() -= result.mean;
    result.covariance += chunk * chunk.t() / count;
  });
  return result;
}

/// Makes the largest component of each column positive.
void fix_signs(arma::mat& vectors) {
  vectors.each_col([](arma::vec& column) {
    if (column(arma::index_max(arma::abs(column))) < 0) column = -column;
  });
}

/// [N, inside] times a matrix (outside x inside): [N, outside].
Tensor apply(const arma::fmat& matrix, const arma::fmat& samples) {
  Tensor out({static_cast<Index>(samples.n_cols), static_cast<Index>(matrix.n_rows)});
  columns(out, out.dim(1)) = matrix * samples;
  return out;
}

void expect_defined(const Whitening& whitening) {
  if (!whitening.defined())
    throw Error("[whitening] expected a fitted whitening, received none; call fit_whitening first");
}

}  // namespace

Whitening fit_whitening(const Tensor& samples, const WhiteningOptions& options) {
  if (!samples.defined() || samples.rank() < 2 || samples.dim(0) < 2) {
    throw Error(fmt::format("[whitening] expected at least 2 samples [N, ...], received {}",
                            samples.defined() ? to_string(samples.shape()) : "none"));
  }
  const Index size = samples.size() / samples.dim(0);
  if (size > kMostNumbers) {
    throw Error(
        fmt::format("[whitening] expected samples of at most {} numbers, received {}; take smaller patches, "
                    "or local contrast "
                    "normalisation in place of whitening",
                    kMostNumbers, size));
  }
  if (!(options.epsilon >= 0.0 && std::isfinite(options.epsilon))) {
    throw Error(
        fmt::format("[whitening] expected a finite epsilon of at least 0, received {}", options.epsilon));
  }
  const Moments m = moments(columns(samples, size));
  if (!m.covariance.is_finite())
    throw Error("[whitening] expected finite samples, received some that are not");
  arma::vec variances;
  arma::mat directions;
  if (!arma::eig_sym(variances, directions, m.covariance))
    throw Error("[whitening] the covariance cannot be decomposed");
  variances = arma::reverse(variances);  // largest first
  directions = arma::fliplr(directions);
  if (!(variances(0) > 0.0)) throw Error("[whitening] expected samples that differ, received equal ones");
  const auto varying =
      static_cast<Index>(arma::uvec(arma::find(variances > kLeastVariance * variances(0))).n_elem);
  if (options.dimensions < 0 || options.dimensions > varying) {
    throw Error(fmt::format("[whitening] expected 1 to {} dimensions, so many vary (0 = all), received {}",
                            varying, options.dimensions));
  }
  const double added = options.epsilon * arma::mean(variances);
  const auto kept = static_cast<arma::uword>(options.dimensions == 0 ? varying : options.dimensions);
  const arma::vec deviations = arma::sqrt(variances.head(kept) + added);
  directions = directions.head_cols(kept);
  fix_signs(directions);
  arma::mat forward = arma::diagmat(1.0 / deviations) * directions.t(),
            inverse = directions * arma::diagmat(deviations);
  if (options.kind == WhiteningKind::Zca) {
    forward = directions * forward;
    inverse = inverse * directions.t();
  }
  const auto narrow = [](const arma::mat& matrix) { return arma::conv_to<arma::fmat>::from(matrix.t()); };
  const auto outputs = static_cast<Index>(forward.n_rows);
  return {to_tensor(narrow(m.mean), {size}), to_tensor(narrow(forward), {outputs, size}),
          to_tensor(narrow(inverse), {size, outputs})};
}

Tensor whiten(const Whitening& whitening, const Tensor& samples) {
  expect_defined(whitening);
  const arma::fmat raw = columns(samples, whitening.forward.dim(1));  // the samples' own memory
  const arma::fmat centred = raw.each_col() - arma::fvec(whitening.mean.host<float>(), raw.n_rows);
  return apply(transposed(whitening.forward).t(), centred);
}

Tensor unwhiten_directions(const Whitening& whitening, const Tensor& directions) {
  expect_defined(whitening);
  return apply(transposed(whitening.inverse).t(), columns(directions, whitening.inverse.dim(1)));
}

Tensor unwhiten(const Whitening& whitening, const Tensor& samples) {
  Tensor out = unwhiten_directions(whitening, samples);
  arma::fmat numbers = columns(out, out.dim(1));  // the memory of `out`
  numbers.each_col() += arma::fvec(whitening.mean.host<float>(), numbers.n_rows);
  return out;
}

Tensor unwhiten_filters(const Whitening& whitening, const Tensor& filters) {
  expect_defined(whitening);
  return apply(transposed(whitening.forward), columns(filters, whitening.forward.dim(0)));
}

}  // namespace basin
