#include "training/plots/energy_surface.h"

#include <fmt/format.h>

#include <algorithm>

#include "tensor/error.h"
#include "training/measures/density.h"
#include "training/plots/plot.h"
#include "training/walk.h"

namespace basin {

void check_energy_surface(const Stage& stage) {
  const auto& of = need<SampleEnergy>(stage, "energy_surface");
  if (of.x.domain == Domain::Real && !of.x.is_free() && of.x.size() == 2) return;
  throw Error(
      fmt::format("[energy_surface] expected samples of two real numbers, received {} that are {}; "
                  "take another plot",
                  of.x.size(), to_string(of.x.domain)));
}

Picture energy_surface(const StageView& view, SurfaceOptions options) {
  constexpr Index kMarks = 300;
  check_energy_surface(view.stage);
  const auto& of = need<SampleEnergy>(view.stage, "energy_surface");
  const auto* asked = view.stage.facets.get<DensityGrid>();
  DensityGrid grid = asked == nullptr ? DensityGrid{} : *asked;
  grid.side = 160;
  const Key key = view.stage.key.fold("draw");
  const Source train = stage_source(view.stage, view.data().train);
  std::vector<double> seen = energies_of(of, train, key);
  std::ranges::sort(seen);
  const double usual = seen[seen.size() * 99 / 100], least = seen.front();
  Surface surface{
      .heights = energy_table(of, grid, view.stage.placement).energy, .low = -grid.reach, .high = grid.reach};
  const double low = std::min(least, *std::ranges::min_element(surface.heights));
  const double most = usual + std::max(usual - low, 1e-12);
  for (double& height : surface.heights) height = std::min(height, most);
  options.mark_size = 2;
  const State shown = samples_between(train, 0, std::min(train.count(), kMarks), key);
  const std::vector<double> points = shown[of.x].tensor().values();
  for (std::size_t i = 0; i + 1 < points.size(); i += 2) options.marks.push_back({points[i], points[i + 1]});
  return surface_picture(surface, options);
}

void draw_energy_surface(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  save_png(energy_surface(view, {.title = drawing.title + ": energy, low where dark; samples"}),
           drawing.path);
}

}  // namespace basin
