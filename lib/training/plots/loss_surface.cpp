#include "training/plots/loss_surface.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tensor/error.h"
#include "training/walk.h"

namespace basin {
namespace {

/// The two trained numbers of a stage: places in its parameters.
class Plane {
 public:
  explicit Plane(const Stage& stage) {
    for (const Parameter& parameter : stored_parameters(stage)) {
      if (!parameter.is_trained()) continue;
      for (Index i = 0; i < parameter.tensor().size(); ++i) {
        if (++count_ <= 2) places_.push_back({parameter, static_cast<std::size_t>(i)});
      }
    }
    if (count_ != 2 || !stage.objective) {
      throw Error(fmt::format(
          "[loss_surface] expected a stage that trains two numbers, received one of {}; take another plot",
          stage.objective ? count_ : 0));
    }
  }

  std::string name(std::size_t axis) const {
    const Parameter& own = places_[axis].parameter;
    return own.tensor().size() == 1 ? own.name() : fmt::format("{}[{}]", own.name(), places_[axis].at);
  }
  double get(std::size_t axis) const { return places_[axis].parameter.tensor().values()[places_[axis].at]; }
  void set(std::size_t axis, double value) {
    Parameter& own = places_[axis].parameter;
    std::vector<double> values = own.tensor().values();
    values[places_[axis].at] = value;
    own.tensor().copy_from(Tensor::from(values, own.tensor().shape(), own.tensor().placement()));
  }

 private:
  struct Place {
    Parameter parameter;
    std::size_t at;
  };
  std::vector<Place> places_;
  Index count_ = 0;
};

/// Puts a plane's numbers back at its end.
struct Restored {
  Plane& plane;
  double first = plane.get(0), second = plane.get(1);
  ~Restored() {
    plane.set(0, first);
    plane.set(1, second);
  }
};

}  // namespace

Surface loss_surface(const Stage& stage, const State& samples, double reach, std::size_t side) {
  Plane plane(stage);
  const Restored restored{plane};
  Surface surface{.heights = std::vector<double>(side * side), .low = -reach, .high = reach};
  const EvaluateOptions options{.wants = std::vector<bool>(stored_parameters(stage).size(), false)};
  for (std::size_t j = 0; j < side; ++j) {
    plane.set(1, surface.at(j));
    for (std::size_t i = 0; i < side; ++i) {
      plane.set(0, surface.at(i));
      Carry carry;
      const Evaluation found =
          stage.objective->evaluate(stage.graph, samples, carry, stage.key.fold("draw"), options);
      const auto loss = found.metrics.find("loss");
      if (loss == found.metrics.end())
        throw Error(fmt::format("[loss_surface] expected an objective that reports its loss, received {}",
                                stage.objective->name()));
      surface.heights[j * side + i] = loss->second;
    }
  }
  return surface;
}

void check_loss_surface(const Stage& stage) { (void)Plane(stage); }

/// Of the first training samples; as far as the square of side 6 around 0, or farther where the trained
/// numbers are.
void draw_loss_surface(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  constexpr std::size_t kSide = 101;
  constexpr double kReach = 3.0, kRoom = 1.2;
  const Plane plane(view.stage);
  const double first = plane.get(0), second = plane.get(1);
  const double reach = std::max(kReach, std::ceil(kRoom * std::max(std::abs(first), std::abs(second))));
  const Source source = stage_source(view.stage, training_samples(view.stage, view.data()));
  const State samples =
      samples_between(source, 0, std::min(source.count(), kChunk), view.stage.key.fold("draw"));
  const Surface surface = loss_surface(view.stage, samples, reach, kSide);
  const auto [least, most] = std::ranges::minmax(surface.heights);
  save_png(surface_picture(surface, {.title = fmt::format("{}: loss, {:.3g} (dark) to {:.3g}; red: trained",
                                                          drawing.title, least, most),
                                     .x_label = plane.name(0),
                                     .y_label = plane.name(1),
                                     .marks = {{first, second}}}),
           drawing.path);
}

}  // namespace basin
