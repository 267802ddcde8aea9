#pragma once

#include <span>
#include <vector>

namespace basin {

/// A point that a pen passes: x to the right within about [0, 0.7], y downwards within [0, 1]. At a corner
/// the pen turns sharply.
struct SkeletonPoint {
  float x, y;
  bool corner = false;
};

/// What the pen draws without leaving the paper: a smooth curve through the points.
using SkeletonStroke = std::vector<SkeletonPoint>;
/// One way to write a digit.
using Skeleton = std::vector<SkeletonStroke>;

/// The ways basin knows to write a digit 0 .. 9.
std::span<const Skeleton> digit_skeletons(int digit);

}  // namespace basin
