// experiments/README.md against the code that reads experiments: every key that is read is on the page, with
// what stands for it where it is left out, and none is on the page that nothing reads.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/catalog.h"
#include "training/experiment/plan.h"
#include "training/keys_page.h"

namespace basin {
namespace {

using test::KeyRow;

/// Experiments that have the readers look for all keys there are, by the model.kind.
struct Example {
  std::string kind;
  std::vector<std::string> settings;
};

const std::string kOptimizer = "optimizer={ learning_rate = 0.1 }";

std::vector<Example> examples() {
  std::vector<Example> all;
  const auto add = [&](const std::string& kind, const std::vector<std::string>& needed,
                       const std::vector<std::vector<std::string>>& variants) {
    for (const std::vector<std::string>& variant : variants) {
      Example example{kind, {"model.kind=" + kind, "data.name=strokes", "train.epochs=1", kOptimizer}};
      example.settings.insert(example.settings.end(), needed.begin(), needed.end());
      example.settings.insert(example.settings.end(), variant.begin(), variant.end());
      all.push_back(std::move(example));
    }
  };
  add("rbm", {"model.hidden=4"},
      {{"data.augment={}", "train.stop={ metric = \"pseudo_likelihood_validation\", patience = 2 }",
        "train.keep=last", "train.on_unhealthy=roll_back", "health={}", "evaluate.brackets={}",
        "optimizer.average={}", "data.import_limit=9", "init_from=a.h5"},
       {"train.stop={ after = 2 }", "model.hidden_units=softmax", "train.objective=pcd",
        "results.snapshots=1"},
       {"train.objective=fpcd", "train.fast_rate=0.1"},
       {"train.objective=tempering"}});
  for (const char* kind : {"sgd", "adam", "adagrad", "rmsprop", "diagonal_newton"})
    add("rbm", {"model.hidden=4", std::string("optimizer.kind=") + kind}, {{"optimizer.l1=0.1"}});
  for (const char* kind : {"lbfgs", "conjugate_gradient"})
    add("rbm", {"model.hidden=4", std::string("optimizer={ kind = \"") + kind + "\" }"}, {{}});
  for (const char* schedule :
       {"linear", "geometric\noptimizer.final_learning_rate=0.1", "inverse_time\noptimizer.half_life=2",
        "hold\noptimizer.hold=2", "stairs\noptimizer.factor=0.5\noptimizer.every=2"}) {
    std::vector<std::string> settings{"model.hidden=4", "optimizer.warm_up=3"};
    std::string text = std::string("optimizer.schedule=") + schedule;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      settings.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    add("rbm", settings, {{}});
  }
  add("rbm", {"model.hidden=4", "optimizer.momentum_epoch=3"}, {{}});
  add("rbm", {"model.hidden=4", "model.visible=gaussian"},
      {{"data={ name = \"olshausen\", patches = { contrast = \"local\", whiten = \"pca\" } }"},
       {"data={ name = \"images\", path = \"here\", patches = { contrast = \"patch\" } }"},
       {"data={ name = \"file\", columns = { x = \"x.npy\" } }"},
       {"data={ name = \"file\", path = \"x.csv\", columns = { x = \"*\" } }"},
       {"data={ name = \"file\", columns = { image = \"pixels\", label = \"folder\" } }"},
       {"data={ name = \"bars_and_stripes\" }"}});
  for (const char* kind : {"sparse_coding", "psd", "psd_warm_start"})
    add(kind, {"model.atoms=4", "model.lambda=0.1"},
        {{}, {"inference.solver=ista"}, {"train.objective=sgd"}});
  for (const char* kind : {"conv_sparse_coding", "conv_psd"})
    add(kind, {"model.filters=4", "model.lambda=0.1"}, {{}});
  add("lista", {"data={ name = \"sparse_signals\" }"},
      {{}, {"model.coupled=true"}, {"train.objective=energy"}});
  add("lcod", {"data={ name = \"sparse_signals\" }"}, {{}});
  add("kmeans", {"model.clusters=4"}, {{}});
  add("energy", {"model.layers=[\"dense 1\"]", "data={ name = \"spiral\" }"},
      {{"evaluate.density={}"},
       {"evaluate.chains={}"},
       {"evaluate.chains={ transition = \"langevin\" }"},
       {"evaluate.chains={ transition = \"hmc\", temperatures = 2 }"},
       {"evaluate.chains={ transition = \"nuts\" }"},
       {"train.objective=sliced_score_matching"},
       {"train.objective=denoising_score_matching"},
       {"train.objective=noise_contrastive"},
       {"train.transition=hmc", "train.temperatures=2"},
       {"train.transition=nuts"},
       {"model.visible=binary", "train.objective=cd", "train.transition=metropolis"},
       {"model.visible=binary", "evaluate.chains={ transition = \"metropolis\" }"}});
  add("gaussian_mixture", {"model.clusters=4", "optimizer={ kind = \"none\" }"}, {{}});
  add("ica", {}, {{}});
  add("rica", {"model.codes=4"}, {{}});
  add("autoencoder", {"model.codes=4"}, {{}, {"model.corruption=gaussian", "model.amount=0.1"}});
  add("conv_rbm", {"model.maps=2", "model.size=3"}, {{}, {"train.objective=pcd"}});
  add("dbm", {"model.layers=[4, 3]"}, {{}});
  add("drlim", {"model.layers=[\"dense 2\"]"}, {{}, {"evaluate.retrieval={}"}});
  add("regression", {"model.layers=[\"dense 1\"]", "data={ name = \"identity\" }"}, {{}});
  add("reader", {"model.layers=[\"conv 4 3x3 pad 1\"]", "data={ name = \"strings\" }"},
      {{}, {"train.objective=hinge"}});
  add("recurrent", {"model.hidden=3"},
      {{"data={ name = \"copy_memory\" }"},
       {"model.predict=label"},
       {"model.cell=elman", "model.predict=value"}});
  add("rnn_rbm", {"model.hidden=3"},
      {{}, {"model.cell=elman", "results={ sample_chains = 3, sample_steps = 3 }"}});
  return all;
}

/// "stages[0].model" -> "model", "fine_tune.optimizer" -> "optimizer".
std::string plain_table(std::string table) {
  if (table.starts_with("stages["))
    table = table.find('.') == std::string::npos ? "stages" : table.substr(table.find('.') + 1);
  for (const char* same : {"fine_tune.optimizer", "fine_tune.stop"}) {
    if (table.starts_with(same))
      table = (std::string(same).ends_with("stop") ? "train.stop" : "optimizer") +
              table.substr(std::string(same).size());
  }
  return table;
}

struct Asked {
  std::string kind;
  AskedKey key;
};

std::vector<Asked> all_asked() {
  std::vector<Asked> all;
  const auto take = [&](const std::string& kind, const Config& config) {
    for (AskedKey key : config.asked()) {
      key.table = plain_table(key.table);
      all.push_back({kind, std::move(key)});
    }
  };
  for (const Example& example : examples()) {
    Config config = Config::parse("", "keys");
    for (const std::string& setting : example.settings) config.set(setting);
    read_plan(config);
    take(example.kind, config);
  }
  const std::string stages = R"(
head = { kind = "softmax" }
data = { name = "strokes" }
fine_tune = { epochs = 1, optimizer = { learning_rate = 0.1 } }
stages = [ { name = "a", patches = { size = 5 }, model = { kind = "network", layers = ["dense 3"] } },
           { name = "b", model = { kind = "network", architecture = "mlp", widths = [3] } },
           { name = "c", model = { kind = "contrast" } },
           { name = "d", model = { kind = "pca", dimensions = 3, whiten = true } } ]
)";
  const std::string frozen = "protocol=layerwise_frozen", label_rbm = "kind = \"label_rbm\", hidden = 3";
  const std::string deep =
      "stages=[ { name = \"a\", model = { hidden = 3 }, train = { epochs = 1 }, optimizer = { learning_rate "
      "= 0.1 }, evaluate = { bound_draws = 3 } }, { name = \"b\", model = { " +
      label_rbm + " }, train = { epochs = 1, ";
  const std::string rest = " }, optimizer = { learning_rate = 0.1 } } ]",
                    up_down = "head={ kind = \"up_down\" }";
  for (const auto& [kind, settings] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"network", {}},
           {"network", {"head.loss=hinge", "head.retrieval={}"}},
           {"network", {"head={ kind = \"svm\" }"}},
           {"network", {"head.loss=mee", "fine_tune.on_unhealthy=roll_back"}},
           {"network", {"head={ kind = \"reconstruction\" }"}},
           {"network", {"head={ " + label_rbm + ", negative = \"pcd\" }", frozen}},
           {"network",
            {"head={ " + label_rbm + ", objective = \"hybrid\" }", frozen,
             "results={ sample_chains = 3, sample_steps = 3 }"}},
           {"label_rbm", {deep + "negative = \"pcd\"" + rest, up_down}},
           {"label_rbm", {deep + "objective = \"hybrid\"" + rest, up_down}}}) {
    Config config = Config::parse(stages, "keys");
    for (const std::string& setting : settings) config.set(setting);
    read_plan(config);
    take(kind, config);
  }
  return all;
}

/// Keys that no experiment file is meant to have: the flag --smoke, an older name, tables of many runs; those
/// of tables whose keys are people's own; and those that the page tells of in sentences, of networks, or in
/// its table of data sets.
bool is_hidden(const AskedKey& asked) {
  static const std::set<std::string> hidden = {
      ".smoke",       "evaluate.likeness",  ".sweep",       ".select",          ".compare",
      "model.layers", "model.architecture", "model.widths", "model.activation", "model.dropout",
      "data.delay",   "data.longest"};
  static const std::set<std::string> free = {"data.columns", "data.test_columns", "optimizer.rates",
                                             "expect"};
  return hidden.contains(asked.table + "." + asked.key) || free.contains(asked.table);
}

/// Tables inside tables are told of where the outer one is: a key of `train.stop` in the row of `stop`.
std::vector<const KeyRow*> rows_about(const std::vector<KeyRow>& rows, const std::string& table,
                                      const std::string& key) {
  std::vector<const KeyRow*> about;
  const std::size_t dot = table.rfind('.');
  for (const KeyRow& row : rows) {
    const bool is_inside = dot != std::string::npos && row.table == table.substr(0, dot) &&
                           test::names_key(row.text, table.substr(dot + 1)) && test::names_key(row.text, key);
    const bool is_nested =
        dot != std::string::npos && row.table == table.substr(0, dot) &&
        std::ranges::any_of(
            row.keys, [&](const std::string& own) { return own.starts_with(table.substr(dot + 1) + "."); }) &&
        test::names_key(row.text, key);
    const bool is_of_fixed = (table == "model" || table == "evaluate") && row.table == "stages" &&
                             test::names_key(row.text, "model.kind") && test::names_key(row.text, key);
    if (is_inside || is_nested || is_of_fixed || (row.table == table && test::names_key(row.text, key)))
      about.push_back(&row);
  }
  return about;
}

TEST(Keys, EveryKeyThatIsReadIsOnThePage) {
  const std::vector<KeyRow> rows = test::key_rows(BASIN_KEYS);
  ASSERT_GT(rows.size(), 80u);
  std::size_t checked = 0;
  for (const auto& [kind, asked] : all_asked()) {
    if (is_hidden(asked)) continue;
    const bool is_table =
        asked.table.empty() &&
        std::ranges::any_of(rows, [&key = asked.key](const KeyRow& row) { return row.table == key; });
    if (is_table) continue;
    bool is_there = false;
    for (const KeyRow* row : rows_about(rows, asked.table, asked.key))
      is_there = is_there || row->kinds.empty() || row->kinds.contains(kind);
    EXPECT_TRUE(is_there) << kind << ": [" << asked.table << "] " << asked.key;
    ++checked;
  }
  EXPECT_GT(checked, 500u);
}

TEST(Keys, DefaultsOnThePageAreThoseOfTheCode) {
  const std::vector<KeyRow> rows = test::key_rows(BASIN_KEYS);
  std::size_t checked = 0;
  for (const auto& [kind, asked] : all_asked()) {
    const bool is_of_the_run = asked.table == "results" && asked.key == "file";  // named after the experiment
    if (is_hidden(asked) || asked.fallback.empty() || is_of_the_run) continue;
    bool is_said = false, is_own = false;
    std::string said;
    for (const KeyRow* row : rows_about(rows, asked.table, asked.key)) {
      if (!row->kinds.empty() && !row->kinds.contains(kind)) continue;
      const bool has_words = row->defaults.find_first_of("`0123456789\"[") == std::string::npos &&
                             row->defaults.find("true") == std::string::npos &&
                             row->defaults.find("false") == std::string::npos &&
                             row->defaults.find("needed") == std::string::npos;
      said += row->text + "\n";
      is_said = is_said || has_words || test::names_value(row->defaults + " " + row->text, asked.fallback);
      is_own = true;
    }
    if (!is_own) continue;
    EXPECT_TRUE(is_said) << kind << ": [" << asked.table << "] " << asked.key << " = " << asked.fallback
                         << "\n"
                         << said;
    ++checked;
  }
  EXPECT_GT(checked, 300u);
}

TEST(Keys, NoKeyIsOnThePageThatNothingReads) {
  std::map<std::string, std::set<std::string>> read;  // by table, of all kinds; and by "kind: table"
  for (const auto& [kind, asked] : all_asked()) {
    read[asked.table].insert(asked.key);
    read[kind + ": " + asked.table].insert(asked.key);
  }
  for (const KeyRow& row : test::key_rows(BASIN_KEYS)) {
    if (row.table == "expect") continue;  // its keys are free
    for (const std::string& key : row.keys) {
      const std::size_t dot = key.rfind('.');
      const std::string table = dot == std::string::npos ? row.table
                                                         : (row.table.empty() || row.table == "stages"
                                                                ? key.substr(0, dot)
                                                                : row.table + "." + key.substr(0, dot));
      const std::string name = key.substr(dot == std::string::npos ? 0 : dot + 1);
      bool is_read =
          row.kinds.empty() && (read[table].contains(name) || (row.table.empty() && read.contains(key)));
      if (row.table == "stages") is_read = is_read || read[""].contains(key);  // as of a file of one stage
      for (const std::string& kind : row.kinds) is_read = is_read || read[kind + ": " + table].contains(name);
      EXPECT_TRUE(is_read) << "[" << row.table << "] " << key;
    }
  }
}

TEST(Keys, EveryDataSetIsOnThePageWithKeysOfItsOwn) {
  const std::vector<test::DatasetRow> rows = test::dataset_rows(BASIN_KEYS);
  const std::vector<KeyRow> keys = test::key_rows(BASIN_KEYS);
  for (const CatalogEntry& entry : catalog()) {
    const auto row = std::ranges::find_if(
        rows, [&](const auto& one) { return std::ranges::find(one.names, entry.name) != one.names.end(); });
    const bool is_general = std::ranges::any_of(keys, [&](const KeyRow& one) {
      return one.table == "data" && test::names_key(one.text, entry.name);
    });
    EXPECT_TRUE(row != rows.end() || is_general) << entry.name;
    if (entry.read == nullptr) continue;
    Config config = Config::parse("[data]\nname = \"" + entry.name + "\"\n", "keys");
    if (entry.name == "file") config.set("data.columns={ x = \"x.npy\" }");
    if (entry.needs_path) config.set("data.path=\"here\"");
    for (const char* setting : {"data.patches.contrast=local", "data.patches.whiten=pca"}) {
      if (entry.name == "olshausen") config.set(setting);
    }
    read_dataset(config.table("data"));
    for (const AskedKey& asked : config.asked()) {
      if (asked.table.empty() || is_hidden(asked)) continue;
      const bool is_own = row != rows.end() && test::names_key(row->text, asked.key);
      EXPECT_TRUE(is_own || !rows_about(keys, asked.table, asked.key).empty())
          << entry.name << ": [" << asked.table << "] " << asked.key;
    }
  }
}

}  // namespace
}  // namespace basin
