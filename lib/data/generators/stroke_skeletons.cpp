#include "data/generators/stroke_skeletons.h"

#include <array>

namespace basin {
namespace {

constexpr bool kCorner = true;

std::array<std::vector<Skeleton>, 10> make_skeletons() {
  std::array<std::vector<Skeleton>, 10> all;
  all[0] = {
      // closed at the top
      {{{.38f, .00f},
        {.14f, .12f},
        {.03f, .42f},
        {.07f, .78f},
        {.30f, 1.0f},
        {.55f, .85f},
        {.64f, .50f},
        {.57f, .15f},
        {.36f, .00f}}},
      // the end crosses the beginning
      {{{.50f, .08f},
        {.26f, .02f},
        {.08f, .28f},
        {.05f, .65f},
        {.22f, .97f},
        {.46f, .93f},
        {.62f, .62f},
        {.60f, .25f},
        {.42f, .03f},
        {.24f, .08f}}},
  };
  all[1] = {
      {{{.36f, .00f}, {.35f, .35f}, {.34f, .70f}, {.33f, 1.0f}}},
      // with a flag
      {{{.16f, .24f}, {.27f, .14f}, {.38f, .00f, kCorner}, {.37f, .50f}, {.36f, 1.0f}}},
      // with a flag and a foot
      {{{.18f, .20f}, {.28f, .11f}, {.38f, .00f, kCorner}, {.37f, .50f}, {.37f, 1.0f}},
       {{.14f, 1.0f}, {.38f, .99f}, {.60f, 1.0f}}},
  };
  all[2] = {
      {{{.08f, .24f},
        {.18f, .05f},
        {.40f, .00f},
        {.60f, .14f},
        {.57f, .38f},
        {.36f, .65f},
        {.05f, 1.0f, kCorner},
        {.35f, .97f},
        {.68f, .98f}}},
      // with a loop at the foot
      {{{.10f, .20f},
        {.28f, .02f},
        {.52f, .06f},
        {.60f, .28f},
        {.45f, .58f},
        {.22f, .88f},
        {.08f, .97f},
        {.05f, .86f},
        {.17f, .80f},
        {.36f, .92f},
        {.56f, 1.0f},
        {.70f, .93f}}},
  };
  all[3] = {
      {{{.08f, .14f},
        {.28f, .00f},
        {.52f, .08f},
        {.54f, .28f},
        {.40f, .43f},
        {.24f, .47f, kCorner},
        {.46f, .52f},
        {.61f, .70f},
        {.52f, .93f},
        {.28f, 1.0f},
        {.05f, .88f}}},
      // with a flat top
      {{{.08f, .02f},
        {.32f, .02f},
        {.56f, .02f, kCorner},
        {.42f, .20f},
        {.28f, .38f, kCorner},
        {.50f, .45f},
        {.62f, .66f},
        {.50f, .93f},
        {.25f, 1.0f},
        {.05f, .90f}}},
  };
  all[4] = {
      // open
      {{{.12f, .02f}, {.09f, .30f}, {.10f, .50f}, {.25f, .55f}, {.62f, .50f}},
       {{.55f, .05f}, {.52f, .50f}, {.48f, 1.0f}}},
      // closed
      {{{.45f, .00f}, {.25f, .32f}, {.02f, .62f, kCorner}, {.35f, .62f}, {.70f, .60f}},
       {{.47f, .00f}, {.47f, .50f}, {.46f, 1.0f}}},
      // open, angular
      {{{.12f, .05f}, {.06f, .46f, kCorner}, {.30f, .47f}, {.58f, .43f}},
       {{.62f, .00f}, {.53f, .50f}, {.42f, 1.0f}}},
  };
  all[5] = {
      {{{.18f, .02f},
        {.15f, .22f},
        {.12f, .42f, kCorner},
        {.36f, .36f},
        {.58f, .52f},
        {.58f, .80f},
        {.36f, 1.0f},
        {.05f, .92f}},
       {{.18f, .02f}, {.40f, .03f}, {.64f, .00f}}},
      // without lifting the pen
      {{{.62f, .03f},
        {.40f, .02f},
        {.20f, .04f, kCorner},
        {.16f, .25f},
        {.13f, .43f, kCorner},
        {.38f, .38f},
        {.60f, .56f},
        {.54f, .86f},
        {.30f, 1.0f},
        {.04f, .90f}}},
      // nearly an S
      {{{.62f, .05f},
        {.36f, .02f},
        {.16f, .20f},
        {.28f, .42f},
        {.52f, .58f},
        {.52f, .86f},
        {.28f, 1.0f},
        {.05f, .90f}}},
  };
  all[6] = {
      {{{.52f, .02f},
        {.28f, .18f},
        {.10f, .46f},
        {.06f, .76f},
        {.24f, .99f},
        {.50f, .92f},
        {.58f, .70f},
        {.42f, .52f},
        {.20f, .60f},
        {.08f, .78f}}},
      // with a straighter stem
      {{{.34f, .00f},
        {.18f, .30f},
        {.08f, .62f},
        {.12f, .90f},
        {.34f, 1.0f},
        {.55f, .86f},
        {.50f, .62f},
        {.30f, .58f},
        {.11f, .72f}}},
  };
  all[7] = {
      {{{.05f, .06f}, {.33f, .05f}, {.63f, .03f, kCorner}, {.50f, .35f}, {.36f, .65f}, {.26f, 1.0f}}},
      // with a bar
      {{{.05f, .06f}, {.33f, .05f}, {.63f, .03f, kCorner}, {.48f, .35f}, {.36f, .65f}, {.28f, 1.0f}},
       {{.18f, .52f}, {.40f, .50f}, {.60f, .48f}}},
      // with a hook
      {{{.06f, .20f},
        {.08f, .04f, kCorner},
        {.36f, .04f},
        {.62f, .06f, kCorner},
        {.48f, .38f},
        {.36f, .70f},
        {.32f, 1.0f}}},
      // round
      {{{.05f, .10f}, {.25f, .02f}, {.48f, .02f}, {.60f, .14f}, {.52f, .42f}, {.40f, .70f}, {.30f, 1.0f}}},
  };
  all[8] = {
      // without lifting the pen
      {{{.56f, .14f},
        {.36f, .00f},
        {.14f, .12f},
        {.18f, .34f},
        {.38f, .50f},
        {.57f, .70f},
        {.52f, .93f},
        {.30f, 1.0f},
        {.08f, .88f},
        {.12f, .66f},
        {.34f, .48f},
        {.54f, .30f},
        {.54f, .12f}}},
      // two rings
      {{{.35f, .00f}, {.16f, .10f}, {.15f, .32f}, {.34f, .45f}, {.54f, .33f}, {.54f, .10f}, {.35f, .00f}},
       {{.34f, .45f}, {.10f, .58f}, {.08f, .86f}, {.34f, 1.0f}, {.60f, .86f}, {.58f, .58f}, {.34f, .45f}}},
  };
  all[9] = {
      // with a straight stem
      {{{.56f, .16f},
        {.38f, .00f},
        {.14f, .10f},
        {.10f, .34f},
        {.28f, .47f},
        {.50f, .36f},
        {.57f, .14f, kCorner},
        {.56f, .45f},
        {.53f, .75f},
        {.50f, 1.0f}}},
      // with a curved tail
      {{{.56f, .16f},
        {.38f, .00f},
        {.14f, .10f},
        {.10f, .34f},
        {.28f, .47f},
        {.50f, .36f},
        {.57f, .14f, kCorner},
        {.58f, .50f},
        {.50f, .85f},
        {.30f, 1.0f},
        {.12f, .92f}}},
      // leaning
      {{{.55f, .12f},
        {.34f, .02f},
        {.12f, .18f},
        {.14f, .40f},
        {.34f, .46f},
        {.54f, .28f},
        {.57f, .12f, kCorner},
        {.46f, .55f},
        {.32f, 1.0f}}},
  };
  return all;
}

}  // namespace

std::span<const Skeleton> digit_skeletons(int digit) {
  static const std::array<std::vector<Skeleton>, 10> kSkeletons = make_skeletons();
  return kSkeletons.at(static_cast<std::size_t>(digit));
}

}  // namespace basin
