// Elementary functions of f32 vectors, written once for every instruction set: a few units in the last place
// over the whole range, right for infinities, NaN and denormals. The same operations in the same order (fused
// products, exact division) run on AVX2 and AVX-512, so that results are equal bit for bit.
// Polynomials: Moshier 1992, Cephes mathematical library (expf, logf, sinf, cosf, tanhf).
// Included once per target: the guard flips with each inclusion by foreach_target.h.
#if defined(BASIN_TENSOR_CPU_VECTOR_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BASIN_TENSOR_CPU_VECTOR_MATH_INL_H
#undef BASIN_TENSOR_CPU_VECTOR_MATH_INL_H
#else
#define BASIN_TENSOR_CPU_VECTOR_MATH_INL_H
#endif

#include <hwy/highway.h>

#include <limits>

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Ints = hn::RebindToSigned<Floats>;
using Words = hn::RebindToUnsigned<Floats>;
using Float = hn::Vec<Floats>;
using Int = hn::Vec<Ints>;
using Word = hn::Vec<Words>;
using Mask = hn::Mask<Floats>;

HWY_INLINE Float constant(float x) { return hn::Set(Floats(), x); }

/// 2^n for -126 <= n <= 127.
HWY_INLINE Float power_of_two(Int n) {
  return hn::BitCast(Floats(), hn::ShiftLeft<23>(hn::Add(n, hn::Set(Ints(), 127))));
}

/// exp(x): exp(n ln 2 + r) = 2^n exp(r), |r| <= ln(2) / 2. Multiplying by 2^n in two halves reaches denormals
/// and infinity.
HWY_INLINE Float exp(Float x) {
  // The constants come first: x86 gives the second operand when one is NaN, so that NaN goes through.
  x = hn::Min(constant(89.0f), hn::Max(constant(-104.0f), x));
  const Float n = hn::Round(hn::Mul(x, constant(1.44269504f)));
  const Float r = hn::NegMulAdd(n, constant(-2.12194440e-4f), hn::NegMulAdd(n, constant(0.693359375f), x));
  Float p = constant(1.9875691500e-4f);
  p = hn::MulAdd(p, r, constant(1.3981999507e-3f));
  p = hn::MulAdd(p, r, constant(8.3334519073e-3f));
  p = hn::MulAdd(p, r, constant(4.1665795894e-2f));
  p = hn::MulAdd(p, r, constant(1.6666665459e-1f));
  p = hn::MulAdd(p, r, constant(0.5f));
  p = hn::MulAdd(p, hn::Mul(r, r), hn::Add(r, constant(1.0f)));
  const Int whole = hn::ConvertTo(Ints(), n);
  const Int half = hn::ShiftRight<1>(whole);
  return hn::Mul(hn::Mul(p, power_of_two(half)), power_of_two(hn::Sub(whole, half)));
}

/// log(x) for positive, normal, finite x: x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2).
/// `exponent_offset` is added to e.
HWY_INLINE Float log_of_normal(Float x, Float exponent_offset) {
  const Int root_half = hn::Set(Ints(), 0x3F3504F3);
  const Int bits = hn::Sub(hn::BitCast(Ints(), x), root_half);
  const Float e = hn::Add(hn::ConvertTo(Floats(), hn::ShiftRight<23>(bits)), exponent_offset);
  const Int mantissa = hn::Add(hn::And(bits, hn::Set(Ints(), 0x007FFFFF)), root_half);
  const Float f = hn::Sub(hn::BitCast(Floats(), mantissa), constant(1.0f));
  const Float square = hn::Mul(f, f);
  Float p = constant(7.0376836292e-2f);
  p = hn::MulAdd(p, f, constant(-1.1514610310e-1f));
  p = hn::MulAdd(p, f, constant(1.1676998740e-1f));
  p = hn::MulAdd(p, f, constant(-1.2420140846e-1f));
  p = hn::MulAdd(p, f, constant(1.4249322787e-1f));
  p = hn::MulAdd(p, f, constant(-1.6668057665e-1f));
  p = hn::MulAdd(p, f, constant(2.0000714765e-1f));
  p = hn::MulAdd(p, f, constant(-2.4999993993e-1f));
  p = hn::MulAdd(p, f, constant(3.3333331174e-1f));
  Float rest = hn::Mul(hn::Mul(p, f), square);
  rest = hn::MulAdd(e, constant(-2.12194440e-4f), rest);
  rest = hn::NegMulAdd(square, constant(0.5f), rest);
  return hn::MulAdd(e, constant(0.693359375f), hn::Add(f, rest));
}

/// log(x): -infinity at 0, NaN below.
HWY_INLINE Float log(Float x) {
  const Float infinity = constant(std::numeric_limits<float>::infinity());
  const Mask denormal = hn::Lt(x, constant(std::numeric_limits<float>::min()));
  const Float scaled = hn::IfThenElse(denormal, hn::Mul(x, constant(8388608.0f)), x);
  const Float usual = log_of_normal(scaled, hn::IfThenElseZero(denormal, constant(-23.0f)));
  const Float nan = constant(std::numeric_limits<float>::quiet_NaN());
  const Float special = hn::IfThenElse(hn::Eq(x, hn::Zero(Floats())), hn::Neg(infinity),
                                       hn::IfThenElse(hn::Eq(x, infinity), x, nan));
  return hn::IfThenElse(hn::And(hn::Gt(x, hn::Zero(Floats())), hn::Lt(x, infinity)), usual, special);
}

/// log(1 + x): log(u) with u = 1 + x rounded, plus what the rounding lost, (x - (u - 1)) / u.
HWY_INLINE Float log1p(Float x) {
  const Float one = constant(1.0f);
  const Float u = hn::Add(one, x);
  const Float lost = hn::IfThenElse(hn::Gt(x, one), hn::Sub(one, hn::Sub(u, x)), hn::Sub(x, hn::Sub(u, one)));
  const Float log_u = log(u);
  const Float sum = hn::Add(log_u, hn::Div(lost, u));
  const Mask finite = hn::Lt(hn::Abs(log_u), constant(std::numeric_limits<float>::infinity()));
  return hn::IfThenElse(finite, sum, log_u);
}

/// 1 / (1 + exp(-x)) from e = exp(-|x|), which never overflows.
HWY_INLINE Float sigmoid(Float x) {
  const Float one = constant(1.0f);
  const Float e = exp(hn::Neg(hn::Abs(x)));
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(Floats())), e, one), hn::Add(one, e));
}

/// log(1 + exp(x)) = max(x, 0) + log(1 + e), e = exp(-|x|).
HWY_INLINE Float softplus(Float x) {
  const Float one = constant(1.0f);
  const Float e = exp(hn::Neg(hn::Abs(x)));
  const Float u = hn::Add(one, e);
  const Float lost = hn::Sub(e, hn::Sub(u, one));
  const Float log_u = hn::Add(log_of_normal(u, hn::Zero(Floats())), hn::Div(lost, u));
  const Float sum = hn::Add(hn::Max(hn::Zero(Floats()), x), log_u);
  return hn::IfThenElse(hn::Eq(x, x), sum, x);
}

/// tanh(x): an odd polynomial near zero, 1 - 2 / (exp(2 |x|) + 1) with x's sign elsewhere.
HWY_INLINE Float tanh(Float x) {
  const Float magnitude = hn::Abs(x);
  const Float one = constant(1.0f);
  const Float far = hn::Sub(one, hn::Div(constant(2.0f), hn::Add(exp(hn::Add(magnitude, magnitude)), one)));
  const Float square = hn::Mul(x, x);
  Float p = constant(-5.70498872745e-3f);
  p = hn::MulAdd(p, square, constant(2.06390887954e-2f));
  p = hn::MulAdd(p, square, constant(-5.37397155531e-2f));
  p = hn::MulAdd(p, square, constant(1.33314422036e-1f));
  p = hn::MulAdd(p, square, constant(-3.33332819422e-1f));
  const Float near = hn::MulAdd(hn::Mul(p, square), x, x);
  return hn::IfThenElse(hn::Lt(magnitude, constant(0.625f)), near, hn::CopySign(far, x));
}

/// atan(x): the argument is brought to |t| <= tan(pi / 8) by atan(x) = pi / 4 + atan((x - 1) / (x + 1)) and
/// pi / 2 - atan(1 / x); t + t^3 P(t^2), P fitted at Chebyshev points.
HWY_INLINE Float atan(Float x) {
  const Float magnitude = hn::Abs(x), one = constant(1.0f), zero = hn::Zero(Floats());
  const Mask far = hn::Gt(magnitude, constant(2.41421356f)),
             middle = hn::Gt(magnitude, constant(0.414213562f));
  const Float numerator = hn::IfThenElse(far, constant(-1.0f), hn::Sub(magnitude, one));
  const Float denominator = hn::IfThenElse(far, magnitude, hn::Add(magnitude, one));
  const Float t = hn::IfThenElse(middle, hn::Div(numerator, denominator), magnitude);
  const Float offset =
      hn::IfThenElse(far, constant(1.57079633f), hn::IfThenElse(middle, constant(0.785398163f), zero));
  const Float square = hn::Mul(t, t);
  Float p = constant(-6.457294718e-2f);
  p = hn::MulAdd(p, square, constant(1.074567313e-1f));
  p = hn::MulAdd(p, square, constant(-1.426417505e-1f));
  p = hn::MulAdd(p, square, constant(1.999954843e-1f));
  p = hn::MulAdd(p, square, constant(-3.333333181e-1f));
  return hn::CopySign(hn::Add(offset, hn::MulAdd(hn::Mul(p, square), t, t)), x);
}

/// asinh(x) with x's sign: log(1 + |x| + x^2 / (1 + sqrt(1 + x^2))), or log |x| + log 2 where x^2 has no 1.
HWY_INLINE Float asinh(Float x) {
  const Float magnitude = hn::Abs(x), one = constant(1.0f);
  const Mask far = hn::Gt(magnitude, constant(16384.0f));
  const Float near = hn::IfThenElse(far, one, magnitude), square = hn::Mul(near, near);
  const Float usual = log1p(hn::Add(near, hn::Div(square, hn::Add(one, hn::Sqrt(hn::Add(one, square))))));
  const Float large = hn::Add(log(hn::IfThenElse(far, magnitude, one)), constant(0.693147181f));
  return hn::IfThenElse(hn::Eq(x, x), hn::CopySign(hn::IfThenElse(far, large, usual), x), x);
}

/// Phi(x) of the standard normal: 1/2 + x P(x^2) for |x| < 1; beyond, with z = |x| / sqrt(2), one tail is
/// exp(-x^2 / 2) Q((z - sqrt(1/2)) / (z + 2)) / (1 + 2 z), whose exponent keeps what the rounding of x^2
/// lost. P and Q fitted at Chebyshev points.
HWY_INLINE Float ndtr(Float x) {
  const Float one = constant(1.0f), half = constant(0.5f), square = hn::Mul(x, x);
  Float p = constant(-7.662608654e-6f);
  p = hn::MulAdd(p, square, constant(1.135074795e-4f));
  p = hn::MulAdd(p, square, constant(-1.186348532e-3f));
  p = hn::MulAdd(p, square, constant(9.973330108e-3f));
  p = hn::MulAdd(p, square, constant(-6.649036077e-2f));
  p = hn::MulAdd(p, square, constant(3.989422801e-1f));
  const Float near = hn::MulAdd(p, x, half);
  const Float magnitude = hn::Min(constant(20.0f), hn::Abs(x));  // Phi(-20) is 0 in f32
  const Float z = hn::Mul(magnitude, constant(0.707106781f));
  const Float v = hn::Div(hn::Sub(z, constant(0.707106781f)), hn::Add(z, constant(2.0f)));
  Float q = constant(6.445518920e-3f);
  q = hn::MulAdd(q, v, constant(-4.130973492e-2f));
  q = hn::MulAdd(q, v, constant(9.049756159e-2f));
  q = hn::MulAdd(q, v, constant(-5.531165632e-2f));
  q = hn::MulAdd(q, v, constant(-5.031863350e-2f));
  q = hn::MulAdd(q, v, constant(-3.959909955e-2f));
  q = hn::MulAdd(q, v, constant(3.787153304e-1f));
  q = hn::MulAdd(q, v, constant(-5.030728824e-1f));
  q = hn::MulAdd(q, v, constant(1.466373220e-1f));
  q = hn::MulAdd(q, v, constant(6.315058470e-1f));
  const Float far_square = hn::Mul(magnitude, magnitude), lost = hn::MulSub(magnitude, magnitude, far_square);
  const Float power = exp(hn::Mul(far_square, constant(-0.5f)));
  const Float density = hn::NegMulAdd(hn::Mul(power, half), lost, power);
  const Float tail = hn::Div(hn::Mul(q, density), hn::MulAdd(constant(2.0f), z, one));
  const Float far = hn::IfThenElse(hn::Lt(x, hn::Zero(Floats())), tail, hn::Sub(one, tail));
  const Float result = hn::IfThenElse(hn::Lt(hn::Abs(x), one), near, far);
  return hn::IfThenElse(hn::Eq(x, x), result, x);
}

/// x for x > 0, else e^x - 1 = tanh(x / 2) (e^x + 1), which loses nothing near 0.
HWY_INLINE Float elu(Float x) {
  const Float below = hn::Mul(tanh(hn::Mul(x, constant(0.5f))), hn::Add(exp(x), constant(1.0f)));
  return hn::IfThenElse(hn::Gt(x, hn::Zero(Floats())), x, below);
}

/// cos and sin of 2 pi u for 0 <= u <= 1: u = q / 4 + f with |f| <= 1/8, then a rotation by q quarter turns.
HWY_INLINE void cos_sin_turns(Float u, Float& cosine, Float& sine) {
  const Float q = hn::Round(hn::Mul(u, constant(4.0f)));
  const Float f = hn::NegMulAdd(q, constant(0.25f), u);
  const Float x = hn::Mul(f, constant(6.28318530718f));
  const Float square = hn::Mul(x, x);
  Float s = hn::MulAdd(constant(-1.9515295891e-4f), square, constant(8.3321608736e-3f));
  s = hn::MulAdd(s, square, constant(-1.6666654611e-1f));
  s = hn::MulAdd(hn::Mul(s, square), x, x);
  Float c = hn::MulAdd(constant(2.443315711809948e-5f), square, constant(-1.388731625493765e-3f));
  c = hn::MulAdd(c, square, constant(4.166664568298827e-2f));
  c = hn::MulAdd(hn::Mul(c, square), square, hn::NegMulAdd(square, constant(0.5f), constant(1.0f)));
  const Int quarter = hn::ConvertTo(Ints(), q);
  const Int one = hn::Set(Ints(), 1), two = hn::Set(Ints(), 2);
  const Mask odd = hn::RebindMask(Floats(), hn::Eq(hn::And(quarter, one), one));
  const Int sign_of_cosine = hn::ShiftLeft<30>(hn::And(hn::Add(quarter, one), two));
  const Int sign_of_sine = hn::ShiftLeft<30>(hn::And(quarter, two));
  cosine = hn::Xor(hn::IfThenElse(odd, s, c), hn::BitCast(Floats(), sign_of_cosine));
  sine = hn::Xor(hn::IfThenElse(odd, c, s), hn::BitCast(Floats(), sign_of_sine));
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#endif
