#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/reader.h"
#include "tensor/error.h"
#include "training/code_words.h"
#include "training/dictionary.h"
#include "training/everywhere.h"
#include "training/kinds/kind.h"
#include "training/latent_encoders.h"
#include "training/measures/chains.h"
#include "training/measures/density.h"
#include "training/measures/retrieval.h"

namespace basin {
namespace {

constexpr Index kSmokePatches = 1000;

/// 0 where nothing is trained.
Index batch_of(const StageTables& tables) {
  if (tables.objective == "none") return 0;
  return Reader(tables.config.table("train")).count("batch", 1, 100);
}

/// What a stage that learns from patches is built for: patches, which nothing distorts.
StageContext on_patches(const PatchTable& patches, StageContext whole) {
  whole.sample_shape = shape_of_patch(patches, whole.sample_shape);
  whole.pixels.augment = {};
  return whole;
}

/// Of a stage in its [evaluate], of a head in [head]; nullopt: its codes are not searched.
std::optional<Retrieval> read_retrieval(const Kind& kind, const Config& config) {
  const Config table = config.table(kind.place == Place::Head ? "head" : "evaluate");
  // No part of an experiment that does not say it.
  if (!table.has("retrieval")) return std::nullopt;
  const Reader in(table.table("retrieval"));
  Retrieval retrieval;
  retrieval.queries = in.count("queries", 1, retrieval.queries);
  retrieval.database = in.count("database", 1, retrieval.database);
  return retrieval;
}

/// In [evaluate]; nullopt: no density is summed.
std::optional<DensityGrid> read_density(const Config& config, bool smoke) {
  const Config table = config.table("evaluate");
  // No part of an experiment that does not say it.
  if (!table.has("density")) return std::nullopt;
  const Reader in(table.table("density"));
  DensityGrid grid;
  grid.reach = in.within("reach", 1e-3, 1e6, grid.reach);
  grid.side = in.count("side", 2, grid.side, 4000);
  grid.uniform = in.count("uniform", 1, grid.uniform);
  if (smoke) grid.side = std::min<Index>(grid.side, 20), grid.uniform = std::min<Index>(grid.uniform, 100);
  return grid;
}

/// In [evaluate]; nullopt: no chains are looked over.
std::optional<ChainsRun> read_chains_table(const Config& config, bool smoke) {
  const Config table = config.table("evaluate");
  // No part of an experiment that does not say it.
  if (!table.has("chains")) return std::nullopt;
  return read_chains(table.table("chains"), smoke);
}

}  // namespace

const std::vector<Kind>& kinds() {
  using T = StageTables;
  // A row declares the function that the kind's file defines: it is all there is to add beside that file.
  // clang-format off
  static const std::vector<Kind> all = {
    {"abs", [](T& t) { ReadKind read_abs; return read_abs(t); }},
    {"autoencoder", [](T& t) { ReadKind read_autoencoder; return read_autoencoder(t); }},
    {"contrast", [](T& t) { ReadKind read_contrast; return read_contrast(t); }},
    {"conv_psd", [](T& t) { ReadKind read_conv_psd; return read_conv_psd(t); }},
    {"conv_rbm", [](T& t) { ReadKind read_conv_rbm; return read_conv_rbm(t); }},
    {"conv_sparse_coding", [](T& t) { ReadKind read_conv_sparse_coding; return read_conv_sparse_coding(t); }},
    {"dbm", [](T& t) { ReadKind read_dbm; return read_dbm(t); }},
    {"drlim", [](T& t) { ReadKind read_drlim; return read_drlim(t); }},
    {"energy", [](T& t) { ReadKind read_energy; return read_energy(t); }},
    {"gaussian_mixture", [](T& t) { ReadKind read_gaussian_mixture; return read_gaussian_mixture(t); }},
    {"ica", [](T& t) { ReadKind read_ica; return read_ica(t); }},
    {"kmeans", [](T& t) { ReadKind read_kmeans; return read_kmeans(t); }},
    {"label_rbm", [](T& t) { ReadKind read_label_rbm_stage; return read_label_rbm_stage(t); }},
    {"label_rbm", [](T& t) { ReadKind read_label_rbm; return read_label_rbm(t); }, Place::Head},
    {"lcod", [](T& t) { ReadKind read_lcod; return read_lcod(t); }},
    {"lista", [](T& t) { ReadKind read_lista; return read_lista(t); }},
    {"network", [](T& t) { ReadKind read_network; return read_network(t); }},
    {"pca", [](T& t) { ReadKind read_pca; return read_pca(t); }},
    {"psd", [](T& t) { ReadKind read_psd; return read_psd(t); }},
    {"psd_warm_start", [](T& t) { ReadKind read_psd_warm_start; return read_psd_warm_start(t); }},
    {"rbm", [](T& t) { ReadKind read_rbm; return read_rbm(t); }},
    {"reader", [](T& t) { ReadKind read_reader; return read_reader(t); }},
    {"reconstruction", [](T& t) { ReadKind read_reconstruction; return read_reconstruction(t); }, Place::Head},
    {"recurrent", [](T& t) { ReadKind read_recurrent; return read_recurrent(t); }},
    {"regression", [](T& t) { ReadKind read_regression; return read_regression(t); }},
    {"rica", [](T& t) { ReadKind read_rica; return read_rica(t); }},
    {"rnn_rbm", [](T& t) { ReadKind read_rnn_rbm; return read_rnn_rbm(t); }},
    {"scale", [](T& t) { ReadKind read_scale; return read_scale(t); }},
    {"softmax", [](T& t) { ReadKind read_softmax; return read_softmax(t); }, Place::Head},
    {"sparse_coding", [](T& t) { ReadKind read_sparse_coding; return read_sparse_coding(t); }},
    {"svm", [](T& t) { ReadKind read_svm; return read_svm(t); }, Place::Head},
    {"up_down", [](T& t) { ReadKind read_up_down; return read_up_down(t); }, Place::Head},
  };
  // clang-format on
  return all;
}

const char* const kDefaultKind = "rbm";

std::vector<std::string> kind_names(Place place) {
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) {
    if (kind.place == place) names.push_back(kind.name);
  }
  return names;
}

const Kind& find_kind(const std::string& name) {
  std::vector<std::string> known;
  for (const Kind& kind : kinds()) {
    if (kind.name == name) return kind;
    known.push_back(kind.name);
  }
  throw Error(fmt::format("[kinds] expected one of {}, received '{}'", fmt::join(known, ", "), name));
}

const LabelColumn& labels_of(const StageContext& context) {
  if (context.labels.classes == 0)
    throw Error(fmt::format("[head] expected data with labels, received {} without", context.data));
  return context.labels;
}

Fuse read_fuse(const Config& table) {
  return table.choice("fuse", {"auto", "off"}, "auto") == "auto" ? Fuse::Auto : Fuse::Off;
}

StageBuilder read_stage(const Kind& kind, StageTables& tables) {
  const StageBuilder build = kind.read(tables);
  const std::optional<Retrieval> retrieval = read_retrieval(kind, tables.config);
  const std::optional<DensityGrid> density =
      kind.place == Place::Stage ? read_density(tables.config, tables.smoke) : std::nullopt;
  const std::optional<ChainsRun> chains =
      kind.place == Place::Stage ? read_chains_table(tables.config, tables.smoke) : std::nullopt;
  for (const char* plot : {"map", "neighbours", "curves"}) tables.plots.emplace_back(plot);
  if (retrieval) tables.plots.emplace_back("retrieval");
  if (chains) tables.plots.insert(tables.plots.end(), {"chains", "autocorrelation"});
  std::optional<PatchTable> patches;
  if (kind.place == Place::Stage) patches = read_patches(tables.config);
  if (patches && tables.smoke) {
    // Few patches, in the place of few samples where those cost much.
    const Index few = tables.smoke_samples ? kSmokePatches / 50 : kSmokePatches;
    patches->count = std::min(patches->count, std::max(few, batch_of(tables)));
    tables.smoke_samples = {};
  }
  if (patches && retrieval) {
    tables.config.table("evaluate")
        .fail("retrieval",
              "expected whole samples, which have labels, received a stage that learns from patches");
  }
  if (patches && batch_of(tables) > patches->count) {
    tables.config.table("train").fail(
        "batch", fmt::format("expected at most the patches.count = {}, received {}", patches->count,
                             batch_of(tables)));
  }
  return [build, retrieval, density, chains, name = kind.name, plots = tables.plots, patches,
          fuse = tables.fuse](const StageContext& whole) {
    const StageContext context = patches ? on_patches(*patches, whole) : whole;
    Stage stage = build(context);
    stage.name = context.name;
    stage.kind = name;
    stage.key = context.key;
    stage.placement = context.placement;
    stage.pixels = context.pixels;
    stage.plots = plots;
    if (retrieval) {
      stage.measures.emplace_back("retrieval");
      stage.facets.set(*retrieval);
    }
    if (density) {
      require_countable(need<SampleEnergy>(stage, "density").x);
      stage.measures.emplace_back("density");
      stage.facets.set(*density);
    }
    if (chains) {
      (void)transition_of(stage, *chains);
      stage.measures.emplace_back("chains");
      stage.facets.set(*chains);
    }
    if (!stage.encoder) {
      stage.encoder = latent_encoder(stage.graph, stage.inputs.at(0).variable, stage.latents);
      if (stage.encoder) stage.facets.set(words_of_latents(stage.latents));
    }
    if (const auto* dictionary = stage.facets.get<Dictionary>(); dictionary != nullptr && !stage.pictures) {
      stage.pictures = [dictionary = *dictionary](const Preprocessing& below) {
        return pictures_of_codes(dictionary, below);
      };
    }
    if (patches) use_everywhere(stage, *patches, whole.sample_shape, fuse);
    return stage;
  };
}

}  // namespace basin
