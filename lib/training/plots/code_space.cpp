#include "training/measures/code_space.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "training/measures/retrieval.h"
#include "training/plots/images.h"
#include "training/plots/plot.h"
#include "training/plots/tsne.h"

/// Pictures of where codes lie: "map", "neighbours", "retrieval".
namespace basin {
namespace {

/// The points of each label, in the order of the labels; of samples without labels all in one.
std::vector<Curve> points_by_label(const StageView& view, const Samples& samples, const CodeSpace& space,
                                   const std::vector<double>& positions) {
  const Column* labels = samples.labels();
  std::vector<Curve> points(labels == nullptr ? 1 : static_cast<std::size_t>(labels->classes()));
  if (labels != nullptr) {
    const std::vector<std::string> names = category_names(view.data(), labels->name(), labels->classes());
    for (std::size_t k = 0; k < points.size(); ++k) points[k].label = names[k];
  }
  for (std::size_t n = 0; 2 * n < positions.size(); ++n) {
    Curve& own = points[labels == nullptr ? 0 : static_cast<std::size_t>(space.labels[n])];
    own.x.push_back(positions[2 * n]);
    own.y.push_back(positions[2 * n + 1]);
  }
  return points;
}

}  // namespace

void check_map(const Stage& stage) { check_code_space(stage, "map"); }

/// At most 1,000 samples at their codes where these are two numbers, else by t-SNE.
void draw_map(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  constexpr Index kShown = 1000;
  const auto& [samples, part] = judged(view);
  const CodeSpace space = code_space(view, samples, kShown, "map");
  const bool is_flat = space.codes.dim(1) == 2;
  const Tensor positions = is_flat ? space.codes : tsne(space.codes, view.stage.key.fold("draw"));
  save_plot(points_by_label(view, samples, space, positions.values()),
            {.title = fmt::format("{}: codes of {} {} samples{}", drawing.title, space.codes.dim(0), part,
                                  is_flat ? "" : " by t-SNE"),
             .x_label = is_flat ? "first code" : "",
             .y_label = is_flat ? "second code" : "",
             .width = 800,
             .height = 800,
             .dots = true},
            drawing.path);
}

void check_neighbours(const Stage& stage) {
  check_code_space(stage, "neighbours");
  (void)sample_picture_shape(stage, "neighbours");
}

/// Ten samples, and on the right of each those that it learned from whose codes are nearest, of at most
/// 10,000.
void draw_neighbours(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  constexpr Index kQueries = 10, kShown = 8;
  const auto& [samples, part] = judged(view);
  const Samples& train = view.data().train;
  const CodeSpace queries = code_space(view, samples, kQueries, "neighbours"),
                  all = code_space(view, train, Retrieval{}.database, "neighbours");
  const Index shown = std::min(kShown, all.codes.dim(0));
  SheetPart sheet_part{.heading = fmt::format("{} sample, then its nearest of {} that were learned from",
                                              part, all.codes.dim(0)),
                       .columns = static_cast<int>(shown + 1)};
  const auto row_of = [&](const Tensor& rows, Index n) {
    return as_values(view.stage.inputs.at(0).variable, slice(Value(rows), 0, n, n + 1));
  };
  const std::vector<std::string> query_names = label_names(view, samples, queries.codes.dim(0)),
                                 names = label_names(view, train, all.codes.dim(0));
  std::vector<Value> pictures;
  rank_by_distance(queries.codes, all.codes, [&](Index query, std::span<const Index> ranked) {
    pictures.push_back(row_of(queries.samples, query));
    sheet_part.captions.push_back(query_names[static_cast<std::size_t>(query)]);
    for (const Index near : ranked.first(static_cast<std::size_t>(shown))) {
      pictures.push_back(row_of(all.samples, near));
      sheet_part.captions.push_back(names[static_cast<std::size_t>(near)]);
    }
  });
  sheet_part.pictures = sample_pictures(concat(pictures, 0).tensor(), samples);
  save_png(sheet({sheet_part}, {.title = drawing.title, .least_width = drawing.tiles.least_width}),
           drawing.path);
}

void check_retrieval(const Stage& stage) { need<Retrieval>(stage, "retrieval"); }

/// Precision against recall of the measure "retrieval", of codes and of the samples themselves.
void draw_retrieval(const Drawing& drawing, const StageView& /*view*/, const Store& store) {
  std::vector<Curve> curves;
  for (const auto& [label, of] : {std::pair{"codes", ""}, {"samples", "_samples"}}) {
    const std::string path = "/evaluation/retrieval/";
    curves.push_back({.label = label,
                      .x = store.numbers(path + "recall" + of),
                      .y = store.numbers(path + "precision" + of)});
  }
  save_plot(
      curves,
      {.title = drawing.title + ": samples of the same label", .x_label = "recall", .y_label = "precision"},
      drawing.path);
}

}  // namespace basin
