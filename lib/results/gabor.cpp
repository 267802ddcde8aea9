#include "results/gabor.h"

#include <fmt/format.h>

#include <algorithm>
#include <armadillo>
#include <array>
#include <cmath>
#include <numbers>

#include "tensor/error.h"

namespace basin {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kLeastSigma = 0.4, kHighestFrequency = 0.7;
constexpr arma::uword kOrientations = 8;

/// What is searched for: centre, logarithms of the widths, orientation, frequency.
enum Parameter : arma::uword { kX, kY, kLogU, kLogV, kAngle, kFrequency, kParameters };
using Shape6 = arma::vec::fixed<kParameters>;

struct Grid {
  Index height, width;
  double longer() const { return static_cast<double>(std::max(height, width)); }
  arma::uword size() const { return static_cast<arma::uword>(height * width); }
};

/// Calls action(pixel, u, v, envelope, cosine, sine) for every pixel of a Gabor function's carrier and
/// envelope.
template <class Action>
void for_each_pixel(const Grid& grid, const Shape6& p, Action action) {
  const double cosine = std::cos(p(kAngle)), sine = std::sin(p(kAngle));
  const double inverse_u = std::exp(-2.0 * p(kLogU)), inverse_v = std::exp(-2.0 * p(kLogV));
  arma::uword pixel = 0;
  for (Index y = 0; y < grid.height; ++y) {
    for (Index x = 0; x < grid.width; ++x, ++pixel) {
      const double dx = static_cast<double>(x) - p(kX), dy = static_cast<double>(y) - p(kY);
      const double u = dx * cosine + dy * sine, v = dy * cosine - dx * sine;
      const double envelope = std::exp(-0.5 * (u * u * inverse_u + v * v * inverse_v)),
                   turn = 2.0 * kPi * p(kFrequency) * u;
      action(pixel, u, v, envelope, std::cos(turn), std::sin(turn));
    }
  }
}

/// An orthonormal basis of the cosine and sine parts: Q R = [cos, sin]. A part that vanishes (the sine at
/// frequency 0) is left out of Q.
struct Basis {
  arma::mat q;
  double r00 = 0, r01 = 0, r11 = 0;
};

Basis orthonormal(const Grid& grid, const Shape6& p) {
  constexpr double kVanishing = 1e-9;
  Basis basis{arma::mat(grid.size(), 2)};
  for_each_pixel(grid, p,
                 [&](arma::uword pixel, double, double, double envelope, double cosine, double sine) {
                   basis.q(pixel, 0) = envelope * cosine;
                   basis.q(pixel, 1) = envelope * sine;
                 });
  basis.r00 = arma::norm(basis.q.col(0));
  basis.q.col(0) *= basis.r00 > kVanishing ? 1.0 / basis.r00 : 0.0;
  basis.r01 = arma::dot(basis.q.col(0), basis.q.col(1));
  basis.q.col(1) -= basis.r01 * basis.q.col(0);
  basis.r11 = arma::norm(basis.q.col(1));
  basis.q.col(1) *= basis.r11 > kVanishing ? 1.0 / basis.r11 : 0.0;
  return basis;
}

/// Amplitudes (cosine, sine) that fit a tile best, of projections c = Q' t.
std::array<double, 2> amplitudes(const Basis& basis, const arma::vec& c) {
  const double sine = c(1) != 0.0 ? c(1) / basis.r11 : 0.0;
  return {c(0) != 0.0 ? (c(0) - basis.r01 * sine) / basis.r00 : 0.0, sine};
}

/// A fit under way: parameters and what they leave unexplained of the tile.
struct Fit {
  Shape6 p;
  Basis basis;
  arma::vec projections, residual;
  double error = 0;
};

Fit evaluate(const Grid& grid, const Shape6& p, const arma::vec& tile) {
  Fit fit{p, orthonormal(grid, p), {}, {}, 0.0};
  fit.projections = fit.basis.q.t() * tile;
  fit.residual = tile - fit.basis.q * fit.projections;
  fit.error = arma::dot(fit.residual, fit.residual);
  return fit;
}

/// Derivatives of the residual with amplitudes that stay best, but for a term that vanishes with the residual
/// (Kaufman 1975).
arma::mat jacobian(const Grid& grid, const Fit& fit) {
  const std::array<double, 2> part = amplitudes(fit.basis, fit.projections);
  const Shape6& p = fit.p;
  const double cosine = std::cos(p(kAngle)), sine = std::sin(p(kAngle));
  const double inverse_u = std::exp(-2.0 * p(kLogU)), inverse_v = std::exp(-2.0 * p(kLogV));
  arma::mat d(grid.size(), kParameters);
  for_each_pixel(
      grid, p,
      [&](arma::uword pixel, double u, double v, double envelope, double wave_cosine, double wave_sine) {
        const double g = envelope * (part[0] * wave_cosine + part[1] * wave_sine);
        const double by_turn = 2.0 * kPi * envelope * (part[1] * wave_cosine - part[0] * wave_sine);
        const double by_u = p(kFrequency) * by_turn - u * inverse_u * g, by_v = -v * inverse_v * g;
        d(pixel, kX) = -cosine * by_u + sine * by_v;
        d(pixel, kY) = -sine * by_u - cosine * by_v;
        d(pixel, kLogU) = u * u * inverse_u * g;
        d(pixel, kLogV) = v * v * inverse_v * g;
        d(pixel, kAngle) = v * by_u - u * by_v;
        d(pixel, kFrequency) = u * by_turn;
      });
  return fit.basis.q * (fit.basis.q.t() * d) - d;
}

Shape6 bounded(const Grid& grid, Shape6 p) {
  const auto width = static_cast<double>(grid.width), height = static_cast<double>(grid.height);
  p(kX) = std::clamp(p(kX), -0.25 * width, 1.25 * width);
  p(kY) = std::clamp(p(kY), -0.25 * height, 1.25 * height);
  for (const Parameter sigma : {kLogU, kLogV})
    p(sigma) = std::clamp(p(sigma), std::log(kLeastSigma), std::log(grid.longer()));
  p(kFrequency) = std::clamp(p(kFrequency), 0.0, kHighestFrequency);
  return p;
}

/// Levenberg and Marquardt steps from a start.
Fit refine(const Grid& grid, const Shape6& start, const arma::vec& tile) {
  constexpr int kSteps = 60;
  constexpr double kEnough = 1e-7, kStiffest = 1e8;
  Fit fit = evaluate(grid, bounded(grid, start), tile);
  double damping = 1e-2;
  for (int step = 0; step < kSteps; ++step) {
    const arma::mat j = jacobian(grid, fit);
    const arma::mat normal = j.t() * j;
    const arma::vec gradient = j.t() * fit.residual;
    const arma::vec diagonal = normal.diag() + 1e-9 * arma::trace(normal) + 1e-300;
    const double before = fit.error;
    while (fit.error == before && damping < kStiffest) {
      const arma::mat damped = normal + arma::diagmat(damping * diagonal);
      arma::vec move;
      if (arma::solve(move, damped, gradient, arma::solve_opts::no_approx + arma::solve_opts::likely_sympd)) {
        Fit next = evaluate(grid, bounded(grid, fit.p - move), tile);
        if (next.error < fit.error) fit = std::move(next);
      }
      damping *= fit.error < before ? 0.2 : 5.0;
    }
    if (before - fit.error <= kEnough * before) break;
    damping = std::max(damping, 1e-9);
  }
  return fit;
}

/// Starts and the orthonormal bases of their cosine and sine parts side by side, orientation by orientation.
struct Starts {
  std::vector<Shape6> parameters;
  arma::mat bases;
};

Starts make_starts(const Grid& grid) {
  constexpr int kCentres = 4, kFrequencies = 6;
  Starts starts;
  const double lowest = 0.75 / grid.longer(), highest = 0.45;
  for (arma::uword angle = 0; angle < kOrientations; ++angle) {
    for (int cell = 0; cell < kCentres * kCentres; ++cell) {
      for (int f = 0; f < kFrequencies; ++f) {
        for (const double sigma : {0.1, 0.17, 0.29}) {
          Shape6 p;
          p(kX) = (0.5 + cell % kCentres) / kCentres * static_cast<double>(grid.width) - 0.5;
          p(kY) = (0.5 + static_cast<double>(cell / kCentres)) / kCentres * static_cast<double>(grid.height) -
                  0.5;
          p(kLogU) = p(kLogV) = std::log(sigma * grid.longer());
          p(kAngle) = kPi * static_cast<double>(angle) / static_cast<double>(kOrientations);
          p(kFrequency) = lowest * std::pow(std::max(highest / lowest, 1.0), f / (kFrequencies - 1.0));
          starts.parameters.push_back(bounded(grid, p));
        }
      }
    }
  }
  starts.bases.set_size(grid.size(), 2 * starts.parameters.size());
  for (arma::uword s = 0; s < starts.parameters.size(); ++s) {
    starts.bases.cols(2 * s, 2 * s + 1) = orthonormal(grid, starts.parameters[s]).q;
  }
  return starts;
}

Gabor to_gabor(const Fit& fit, double scale, double explained) {
  const auto [a, b] =
      amplitudes(fit.basis, fit.projections);  // a cos(t) + b sin(t) = r cos(t + phase), phase = atan2(-b, a)
  Gabor gabor{.centre_x = fit.p(kX),
              .centre_y = fit.p(kY),
              .sigma_u = std::exp(fit.p(kLogU)),
              .sigma_v = std::exp(fit.p(kLogV)),
              .orientation = std::fmod(fit.p(kAngle), kPi),
              .frequency = fit.p(kFrequency),
              .phase = std::atan2(-b, a),
              .amplitude = scale * std::hypot(a, b),
              .explained = explained};
  // Half a turn of the wave's direction changes the sign of u, and with it that of the phase.
  const auto half_turns = std::llround(std::floor(fit.p(kAngle) / kPi));
  if (half_turns % 2 != 0) gabor.phase = -gabor.phase;
  if (gabor.orientation < 0.0) gabor.orientation += kPi;
  return gabor;
}

Gabor fit_tile(const Grid& grid, const Starts& starts, const arma::vec& values) {
  const arma::vec spread = values - arma::mean(values);
  const double variance = arma::dot(spread, spread), scale = arma::norm(values);
  if (!(variance > 1e-12 * scale * scale)) return {};
  const arma::vec tile = values / scale;
  const arma::vec scores = arma::square(starts.bases.t() * tile);
  const arma::uword each = starts.parameters.size() / kOrientations;
  Fit best;
  best.error = arma::datum::inf;
  for (arma::uword angle = 0; angle < kOrientations; ++angle) {
    arma::uword top = angle * each;
    const auto score = [&](arma::uword s) { return scores(2 * s) + scores(2 * s + 1); };
    for (arma::uword s = top; s < (angle + 1) * each; ++s) top = score(s) > score(top) ? s : top;
    Fit fit = refine(grid, starts.parameters[top], tile);
    if (fit.error < best.error) best = std::move(fit);
  }
  return to_gabor(best, scale, std::max(0.0, 1.0 - best.error * scale * scale / variance));
}

}  // namespace

std::vector<Gabor> fit_gabors(const Tensor& rows, Index height, Index width) {
  constexpr Index kLongestSide = 64;
  const bool fits = rows.defined() && rows.rank() >= 2 && height >= 2 && width >= 2 &&
                    height <= kLongestSide && width <= kLongestSide &&
                    rows.size() == rows.dim(0) * height * width;
  if (!fits) {
    throw Error(fmt::format(
        "[fit_gabors] expected rows of height x width numbers with sides of 2 to {}, received {} for {} x {}",
        kLongestSide, rows.defined() ? to_string(rows.shape()) : "none", height, width));
  }
  const Grid grid{height, width};
  const arma::mat tiles =
      arma::reshape(arma::vec(rows.values()), grid.size(), static_cast<arma::uword>(rows.dim(0)));
  if (!tiles.is_finite()) throw Error("[fit_gabors] expected finite numbers, received some that are not");
  const Starts starts = make_starts(grid);
  std::vector<Gabor> gabors(tiles.n_cols);
#pragma omp parallel for schedule(dynamic)
  for (std::size_t n = 0; n < gabors.size(); ++n) gabors[n] = fit_tile(grid, starts, tiles.col(n));
  return gabors;
}

double share_explained(const std::vector<Gabor>& fits, double least) {
  const auto good = std::ranges::count_if(fits, [least](const Gabor& fit) { return fit.explained >= least; });
  return fits.empty() ? 0.0 : static_cast<double>(good) / static_cast<double>(fits.size());
}

}  // namespace basin
