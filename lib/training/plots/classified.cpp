#include "training/plots/classified.h"

#include <fmt/format.h>

#include <algorithm>

#include "results/pictures/matrix.h"
#include "results/pictures/sheet.h"
#include "tensor/error.h"
#include "training/measures/classification.h"
#include "training/plots/images.h"
#include "training/walk.h"

namespace basin {
namespace {

/// What evaluation has stored of the samples that the stage is judged by.
std::vector<std::int64_t> stored(const StageView& view, const Store& store, const char* what) {
  return store.integers(fmt::format("/evaluation/{}_{}", judged(view).name, what));
}

std::string share_wrong(const std::string& data, const std::string& part, std::int64_t wrong,
                        std::int64_t all) {
  return fmt::format("{}: {} of {} {} samples wrong ({:.2f} %)", data, wrong, all, part,
                     100.0 * static_cast<double>(wrong) / static_cast<double>(all));
}

}  // namespace

std::vector<Mistake> mistakes(const StageView& view, const Store& store) {
  const std::vector<std::int64_t> predictions = stored(view, store, "predictions"),
                                  labels = stored(view, store, "labels");
  const Samples& samples = judged(view).samples;
  if (predictions.size() != labels.size() || predictions.size() != static_cast<std::size_t>(samples.count)) {
    throw Error(fmt::format("[misclassified] expected a stored prediction of each of {} samples, received {}",
                            samples.count, predictions.size()));
  }
  std::vector<Mistake> wrong;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    if (labels[n] != predictions[n])
      wrong.push_back({.sample = static_cast<Index>(n), .label = labels[n], .predicted = predictions[n]});
  }
  const Module& scores = *need<Classifier>(view.stage, "misclassified").scores;
  const Source source = stage_source(view.stage, samples);
  constexpr auto kTogether = static_cast<std::size_t>(kChunk);
  for (std::size_t begin = 0; begin < wrong.size(); begin += kTogether) {
    const std::size_t end = std::min(begin + kTogether, wrong.size());
    std::vector<Index> rows;
    for (std::size_t i = begin; i < end; ++i) rows.push_back(wrong[i].sample);
    const State batch = source.batch(rows, view.stage.key.fold("draw"));
    const Tensor found =
        scores.forward(batch[view.stage.inputs.at(0).variable], batch.context().with({})).tensor();
    const std::vector<double> numbers = found.values();
    for (std::size_t i = begin; i < end; ++i) {
      const auto score = [&](Index k) {
        return numbers[(i - begin) * static_cast<std::size_t>(found.dim(1)) + static_cast<std::size_t>(k)];
      };
      wrong[i].margin = score(wrong[i].predicted) - score(wrong[i].label);
    }
  }
  std::ranges::stable_sort(wrong, [](const Mistake& a, const Mistake& b) { return a.margin > b.margin; });
  return wrong;
}

void check_confusion(const Stage& stage) { need<Classifier>(stage, "confusion"); }

void draw_confusion(const Drawing& drawing, const StageView& view, const Store& store) {
  const std::vector<std::int64_t> counts = stored(view, store, "confusion");
  const Part part = judged(view);
  const Column& labels = *part.samples.labels();
  const auto classes = static_cast<std::size_t>(labels.classes());
  std::int64_t all = 0, right = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    all += counts[i];
    if (i / classes == i % classes) right += counts[i];
  }
  save_png(matrix_picture(counts, {.title = share_wrong(drawing.title, part.name, all - right, all),
                                   .row_label = "class",
                                   .column_label = "predicted class",
                                   .names = category_names(view.data(), labels.name(), labels.classes()),
                                   .least_width = drawing.tiles.least_width}),
           drawing.path);
}

void check_misclassified(const Stage& stage) {
  need<Classifier>(stage, "misclassified");
  (void)sample_picture_shape(stage, "misclassified");
}

/// At most 40, or the limit of the drawing.
void draw_misclassified(const Drawing& drawing, const StageView& view, const Store& store) {
  constexpr std::size_t kShown = 40;
  constexpr int kColumns = 10;
  const std::vector<Mistake> wrong = mistakes(view, store);
  const Part part = judged(view);
  const Column& labels = *part.samples.labels();
  const std::string all =
      share_wrong(drawing.title, part.name, static_cast<std::int64_t>(wrong.size()), part.samples.count);
  if (wrong.empty()) throw NothingToDraw(fmt::format("[misclassified] expected samples to show: {}", all));
  const auto wanted = drawing.tiles.limit > 0 ? static_cast<std::size_t>(drawing.tiles.limit) : kShown;
  std::vector<Index> rows;
  SheetPart shown{.heading = "class > prediction, the most confident first", .columns = kColumns};
  for (std::size_t i = 0; i < std::min(wanted, wrong.size()); ++i) {
    rows.push_back(wrong[i].sample);
    const auto name = [&](Index k) { return category_name(view.data(), labels.name(), k); };
    shown.captions.push_back(fmt::format("{} > {}", name(wrong[i].label), name(wrong[i].predicted)));
  }
  const State batch = stage_source(view.stage, part.samples).batch(rows, view.stage.key.fold("draw"));
  shown.pictures = sample_pictures(batch[view.stage.inputs.at(0).variable].tensor(), part.samples);
  save_png(sheet({shown}, {.title = all, .least_width = drawing.tiles.least_width}), drawing.path);
}

}  // namespace basin
