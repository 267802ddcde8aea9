#include "config/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "tensor/error.h"

namespace basin {
namespace {

/// The text of the Error that `action` throws.
template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
    return what;
  }
  return "no error";
}

constexpr const char* kExperiment = R"(seed = 7
data = { name = "mnist", scale = "unit" }

[train]
epochs = 30
learning_rate = 0.1
decay = 1.0
fused = true
rates = [1, 0.5, 1e-30]
plots = ["basis", "samples"]

[[stages]]
kind = "rbm"
[stages.model]
hidden = 500

[[stages]]
kind = "linear"
)";

TEST(Config, ReadsEveryType) {
  const Config config = Config::parse(kExperiment, "e.toml");
  EXPECT_EQ(config.integer("seed"), 7);
  EXPECT_EQ(config.table("data").text("name"), "mnist");
  EXPECT_EQ(config.table("data").choice("scale", {"unit", "threshold"}), "unit");
  const Config train = config.table("train");
  EXPECT_EQ(train.integer("epochs"), 30);
  EXPECT_EQ(train.number("epochs"), 30.0);
  EXPECT_EQ(train.number("learning_rate"), 0.1);
  EXPECT_EQ(train.number("decay"), 1.0);
  EXPECT_TRUE(train.boolean("fused"));
  EXPECT_EQ(train.numbers("rates"), (std::vector<double>{1, 0.5, 1e-30}));
  EXPECT_EQ(train.texts("plots"), (std::vector<std::string>{"basis", "samples"}));
  const std::vector<Config> stages = config.tables("stages");
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(stages[0].text("kind"), "rbm");
  EXPECT_EQ(stages[0].table("model").integer("hidden"), 500);
  EXPECT_EQ(stages[1].text("kind"), "linear");
  EXPECT_NO_THROW(config.finish());
}

TEST(Config, UsesFallbacks) {
  const Config config = Config::parse("");
  EXPECT_EQ(config.integer("a", 3), 3);
  EXPECT_EQ(config.number("b", 0.25), 0.25);
  EXPECT_TRUE(config.boolean("c", true));
  EXPECT_EQ(config.text("d", "x"), "x");
  EXPECT_EQ(config.choice("e", {"x", "y"}, "y"), "y");
  EXPECT_EQ(config.texts("f", std::vector<std::string>{"x"}), std::vector<std::string>{"x"});
  EXPECT_EQ(config.numbers("g", std::vector<double>{1.5}), std::vector<double>{1.5});
  EXPECT_EQ(config.table("h").table("i").integer("j", 4), 4);
  EXPECT_TRUE(config.tables("k").empty());
  EXPECT_FALSE(config.has("a"));
  EXPECT_NO_THROW(config.finish());
}

TEST(Config, NamesThePlaceOfMalformedToml) {
  const std::string error = error_of([] { Config::parse("a = 1\nb = = 2\n", "bad.toml"); });
  EXPECT_EQ(error.rfind("bad.toml:2:5: not valid TOML: ", 0), 0u) << error;
  for (const char* text :
       {"a", "[a", "a = [1,", "a = 1\na = 2", "a = \"x", "\xff\xfe", "a = 1e", "[a]\n[a]\n"}) {
    EXPECT_NE(error_of([&] { Config::parse(text, "bad.toml"); }).find("bad.toml:"), std::string::npos)
        << text;
  }
}

TEST(Config, RefusesWrongTypes) {
  const Config config = Config::parse(kExperiment, "e.toml");
  EXPECT_EQ(error_of([&] { config.table("train").integer("learning_rate"); }),
            "e.toml:6:17: [train] learning_rate: expected an integer, received a number (0.1)");
  EXPECT_EQ(error_of([&] { config.text("seed"); }),
            "e.toml:1:8: seed: expected a text in quotes, received an integer (7)");
  EXPECT_EQ(error_of([&] { config.table("train").number("fused"); }),
            "e.toml:8:9: [train] fused: expected a number, received a boolean (true)");
  EXPECT_EQ(error_of([&] { config.table("train").numbers("plots"); }),
            "e.toml:10:10: [train] plots: expected an array of numbers, received a text (\"basis\")");
  EXPECT_EQ(error_of([&] { config.table("seed"); }),
            "e.toml:1:8: seed: expected a table, received an integer (7)");
  EXPECT_EQ(error_of([&] { config.tables("train"); }).substr(0, 47),
            "e.toml:4:1: train: expected an array of tables,");
  EXPECT_EQ(error_of([&] { config.tables("stages")[1].integer("kind"); }),
            "e.toml:18:8: [stages[1]] kind: expected an integer, received a text (\"linear\")");
  EXPECT_NE(error_of([] {
              Config::parse("a = 2020-01-02").text("a");
            }).find("received a date or time (2020-01-02)"),
            std::string::npos);
}

TEST(Config, AsksForMissingKeys) {
  const Config config = Config::parse("[train]\nepocs = 3\n", "e.toml");
  EXPECT_EQ(error_of([&] { config.table("train").integer("epochs"); }),
            "e.toml:1:1: [train] expected the key 'epochs' (an integer), received none; it has 'epocs': did "
            "you mean 'epochs'?");
  EXPECT_EQ(error_of([&] { config.table("model").text("kind"); }),
            "e.toml: [model] expected the key 'kind' (a text in quotes), received none; add it");
  EXPECT_EQ(error_of([&] {
              config.choice("kind", {"a", "b"});
            }),
            "e.toml: expected the key 'kind' (one of a, b), received none; add it");
}

TEST(Config, NamesTheNearestChoice) {
  const Config config = Config::parse("scale = \"unti\"", "e.toml");
  EXPECT_EQ(error_of([&] {
              config.choice("scale", {"unit", "threshold"});
            }),
            "e.toml:1:9: scale: expected one of unit, threshold, received 'unti'; did you mean 'unit'?");
}

TEST(Config, FindsKeysThatNobodyRead) {
  const Config config =
      Config::parse("seed = 1\nlearning_rate = 2\n[train]\nepocs = 3\n[optimiser]\nx = 1\n", "e.toml");
  config.integer("seed");
  config.table("train").integer("epochs", 1);
  config.table("optimizer").number("learning_rate", 0.1);
  EXPECT_EQ(error_of([&] { config.finish(); }),
            "e.toml:2:1: unknown key 'learning_rate'; did you mean 'learning_rate' in [optimizer]?");
  config.integer("learning_rate");
  EXPECT_EQ(error_of([&] { config.finish(); }),
            "e.toml:4:1: [train] unknown key 'epocs'; did you mean 'epochs'?");
  config.table("train").integer("epocs");
  EXPECT_EQ(error_of([&] { config.finish(); }),
            "e.toml:5:2: unknown table 'optimiser'; did you mean 'optimizer'?");
  config.table("optimiser");
  EXPECT_EQ(error_of([&] { config.finish(); }),
            "e.toml:6:1: [optimiser] unknown key 'x'; nothing is known here");
  config.table("optimiser").integer("x");
  EXPECT_NO_THROW(config.finish());
}

TEST(Config, FindsUnreadKeysInArraysOfTables) {
  const Config config = Config::parse(kExperiment, "e.toml");
  config.integer("seed");
  config.table("data").text("name");
  config.table("data").text("scale");
  for (const char* key : {"epochs", "learning_rate", "decay"}) {
    config.table("train").number(key);
  }
  config.table("train").boolean("fused");
  config.table("train").numbers("rates");
  config.table("train").texts("plots");
  const auto stages = config.tables("stages");
  stages[0].text("kind");
  stages[0].table("model").integer("hiden", 3);
  EXPECT_EQ(error_of([&] { config.finish(); }),
            "e.toml:15:1: [stages[0].model] unknown key 'hidden'; did you mean 'hiden'?");
  stages[0].table("model").integer("hidden");
  EXPECT_EQ(error_of([&] { config.finish(); }).substr(0, 41), "e.toml:18:1: [stages[1]] unknown key 'kin");
}

TEST(Config, AKeyOnlyLookedAtHasNoUse) {
  const Config config = Config::parse("chains = 3", "e.toml");
  EXPECT_TRUE(config.has("chains"));
  EXPECT_EQ(error_of([&] { config.finish(); }),
            "e.toml:1:1: unknown key 'chains'; it has no use together with the other settings; remove it");
}

TEST(Config, FailsWithThePlace) {
  const Config config = Config::parse("[train]\nepochs = -3", "e.toml");
  EXPECT_EQ(error_of([&] { config.table("train").fail("epochs", "must be positive"); }),
            "e.toml:2:10: [train] epochs: must be positive");
  EXPECT_EQ(error_of([&] { config.fail("model", "what"); }), "e.toml: model: what");
  config.table("train").integer("batch", 100);
  EXPECT_EQ(error_of([&] { config.table("train").fail("batch", "expected less"); }),
            "e.toml:1:1: [train] batch (100 where none is given): expected less");
}

TEST(Config, TakesSettings) {
  Config config = Config::parse(kExperiment, "e.toml");
  config.set("seed=8");
  config.set("train.learning_rate = 0.5");
  config.set("train.rates=[2, 3]");
  config.set("data.name=strokes");
  config.set("results.file=results/my-run.h5");
  config.set("results.note=\"two words\"");
  config.set("stages[1].kind=rbm");
  config.set("train.fused=false");
  EXPECT_EQ(config.integer("seed"), 8);
  EXPECT_EQ(config.table("train").number("learning_rate"), 0.5);
  EXPECT_EQ(config.table("train").numbers("rates"), (std::vector<double>{2, 3}));
  EXPECT_FALSE(config.table("train").boolean("fused"));
  EXPECT_EQ(config.table("data").text("name"), "strokes");
  EXPECT_EQ(config.table("results").text("file"), "results/my-run.h5");
  EXPECT_EQ(config.table("results").text("note"), "two words");
  EXPECT_EQ(config.tables("stages")[1].text("kind"), "rbm");
  const std::string given = config.given();
  EXPECT_EQ(given.rfind(kExperiment, 0), 0u);
  EXPECT_NE(given.find("\n# --set train.learning_rate = 0.5\n"), std::string::npos);
  EXPECT_NO_THROW(Config::parse(given));
}

TEST(Config, RefusesMalformedSettings) {
  Config config = Config::parse(kExperiment, "e.toml");
  for (const char* setting : {"", "a", "=3", "a..b=3", ".a=3", "a.=3", "a b=3", "a=", "a=[1", "a=x y",
                              "a=1\nb=2", "a=\"x", "a={x"}) {
    EXPECT_EQ(error_of([&] { config.set(setting); }).rfind("--set ", 0), 0u) << setting;
  }
  EXPECT_EQ(error_of([&] { config.set("seed.x=3"); }),
            "--set seed.x=3: expected a table, but 'seed' is an integer (e.toml:1:8), which has no 'x'");
  EXPECT_EQ(error_of([&] { config.set("stages[2].kind=rbm"); }),
            "--set stages[2].kind=rbm: there is no item [2] in 'stages'");
  EXPECT_EQ(error_of([&] {
              config.set("stages.kind=rbm");
            }).rfind("--set stages.kind=rbm: expected a table, but 'stages' is an array", 0),
            0u);
  EXPECT_EQ(config.given(), kExperiment) << "a refused setting leaves no trace";
}

constexpr const char* kStages = R"(seed = 1

[[stages]]
name = "first"
train = { epochs = 3 }
rates = { "y.z." = 0.5, first = 0 }

[[stages]]
name = "second"
[stages.train]
epohcs = 4
)";

TEST(Config, SettingsNameTablesOfAnArrayByNumberOrName) {
  Config config = Config::parse(kStages, "e.toml");
  config.set("stages.0.train.epochs=5");
  config.set("stages.second.train.epochs=7");
  config.set("stages.second.model.hidden=3");
  EXPECT_EQ(config.tables("stages")[0].table("train").integer("epochs"), 5);
  EXPECT_EQ(config.tables("stages")[1].table("train").integer("epochs"), 7);
  EXPECT_EQ(config.tables("stages")[1].table("model").integer("hidden"), 3);
  EXPECT_EQ(error_of([&] { config.set("stages.2.train.epochs=5"); }),
            "--set stages.2.train.epochs=5: there is no item 2 in 'stages'");
  EXPECT_EQ(
      error_of([&] { config.set("stages.third.train.epochs=5"); }),
      "--set stages.third.train.epochs=5: expected a table, but 'stages' is an array (e.toml:3:1), which "
      "has no 'third'; it has first, second");
}

TEST(Config, UnreadKeysOfAnArrayOfTablesAreErrors) {
  const Config config = Config::parse(kStages, "e.toml");
  config.integer("seed");
  for (const Config& stage : config.tables("stages")) {
    stage.text("name");
    stage.table("train").integer("epochs", 1);
    stage.factors("rates");
  }
  const std::string error = error_of([&] { config.finish(); });
  EXPECT_NE(error.find("e.toml:11:1: "), std::string::npos) << error;
  EXPECT_NE(error.find("unknown key 'epohcs'; did you mean 'epochs'?"), std::string::npos) << error;
}

TEST(Config, ReadsTablesWhoseKeysAreFree) {
  const Config config = Config::parse(kStages, "e.toml");
  using Factors = std::vector<std::pair<std::string, double>>;
  const auto read = [](const Config& from) {
    from.integer("seed");
    for (const Config& stage : from.tables("stages")) {
      stage.text("name");
      stage.table("train").integer("epochs", 1);
      stage.factors("rates");
    }
  };
  read(config);
  EXPECT_EQ(config.tables("stages")[0].factors("rates"), (Factors{{"y.z.", 0.5}, {"first", 0.0}}));
  EXPECT_TRUE(config.tables("stages")[1].factors("rates").empty());
  const Config again = Config::parse(config.resolved());
  read(again);
  EXPECT_EQ(again.resolved(), config.resolved());
  EXPECT_NO_THROW(again.finish());
  EXPECT_EQ(again.tables("stages")[0].factors("rates"), (Factors{{"y.z.", 0.5}, {"first", 0.0}}));
  EXPECT_EQ(again.tables("stages")[1].resolved(), "name = \"second\"\n\n[train]\nepochs = 1\n");
  EXPECT_NE(
      error_of([] { Config::parse("rates = { a = true }", "e.toml").factors("rates"); }).find("e.toml:1:"),
      std::string::npos);
}

TEST(Config, SettingsAreNamedInErrors) {
  Config config = Config::parse("seed = 1", "e.toml");
  config.set("seed=x");
  config.set("trian.epochs=3");
  EXPECT_EQ(error_of([&] { config.integer("seed"); }),
            "--set seed=x: seed: expected an integer, received a text (\"x\")");
  config.text("seed");
  config.table("train").integer("epochs", 1);
  EXPECT_EQ(error_of([&] { config.finish(); }),
            "--set trian.epochs=3: unknown table 'trian'; did you mean 'train'?");
}

/// Reads everything of kExperiment and more; the sum of what came is compared through resolved() of the
/// second reading.
void read_all(const Config& config) {
  config.integer("seed");
  config.number("tiny", 5e-324);
  config.number("third", 1.0 / 3.0);
  config.number("one", 1.0);
  config.number("big", 1e300);
  config.number("endless", std::numeric_limits<double>::infinity());
  config.integer("least", std::numeric_limits<std::int64_t>::min() + 1);
  config.text("odd", "a \"quoted\" \\ line\nwith\ttab, \x01 and \xc3\xa9");
  config.texts("none", std::vector<std::string>{});
  for (const char* key : {"rates"}) {
    config.table("train").numbers(key);
  }
  config.table("train").number("epochs");
  config.table("train").integer("epochs");
  config.table("train").number("epochs");
  config.table("train").texts("plots");
  for (const Config& stage : config.tables("stages")) {
    stage.text("kind");
    stage.table("model").integer("hidden", 10);
  }
  config.table("evaluate").table("ais").integer("chains", 100);
}

TEST(Config, ResolvedReadsBackTheSame) {
  const Config first = Config::parse(kExperiment);
  read_all(first);
  const std::string text = first.resolved();
  const Config second = Config::parse(text);
  read_all(second);
  EXPECT_EQ(second.resolved(), text);
  EXPECT_NO_THROW(second.finish()) << "it holds only what is read";
  EXPECT_EQ(second.number("tiny"), 5e-324);
  EXPECT_EQ(second.number("third"), 1.0 / 3.0);
  EXPECT_EQ(second.number("big"), 1e300);
  EXPECT_TRUE(std::isinf(second.number("endless")));
  EXPECT_EQ(second.text("odd"), "a \"quoted\" \\ line\nwith\ttab, \x01 and \xc3\xa9");
  EXPECT_NE(text.find("one = 1.0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("epochs = 30\n"), std::string::npos) << "an integer stays one: " << text;
  EXPECT_NE(text.find("rates = [1.0, 0.5, 1e-30]\n"), std::string::npos) << text;
  EXPECT_NE(text.find("[[stages]]\nkind = \"linear\"\n\n[stages.model]\nhidden = 10\n"), std::string::npos)
      << text;
  EXPECT_LT(text.find("seed"), text.find("tiny")) << "in the order of the reads";
}

TEST(Config, ResolvedKeepsAnEmptyTable) {
  const Config config = Config::parse("ais = {}\nlist = []");
  config.table("ais");
  config.tables("list");
  const Config again = Config::parse(config.resolved());
  EXPECT_TRUE(again.has("ais"));
  EXPECT_TRUE(again.has("list"));
}

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST(Config, TablesMayBeSoDeepAndNoDeeper) {
  EXPECT_EQ(Config::parse(repeated("a.", 63) + "a = 1").resolved(), "");
  EXPECT_NO_THROW(Config::parse("a = " + repeated("[", 62) + "0.5" + repeated("]", 62)));
  EXPECT_NO_THROW(
      Config::parse("x = [" + repeated("0.5, ", 1000) + "]\ny = \"" + repeated("a.", 1000) + "\""));
  EXPECT_NO_THROW(
      Config::parse("x = \"\"\"\n" + repeated("a.\\\"[", 1000) + "\n\"\"\"  # " + repeated("a.[", 1000)));
  for (const int times : {65, 10000, 1000000}) {
    for (const std::string& deep :
         {repeated("a.", times) + "a = 1", "[" + repeated("a.", times) + "a]",
          repeated("\"a\" . ", times) + "a = 1", "a = " + repeated("[", times) + repeated("]", times),
          "a = " + repeated("{a = ", times) + "1" + repeated("}", times),
          "a = " + repeated("{a.a = ", times) + "1" + repeated("}", times)}) {
      const std::string what = error_of([&] { Config::parse("b = 1\n\n" + deep, "e.toml"); });
      EXPECT_TRUE(what.starts_with("e.toml:3:")) << what.substr(0, 100);
      EXPECT_NE(what.find("at most 64 deep"), std::string::npos) << what.substr(0, 100);
    }
    Config config = Config::parse("b = 1");
    const std::string what = error_of([&] { config.set(repeated("a.", times) + "a=1"); });
    EXPECT_NE(what.find("at most 64 deep"), std::string::npos) << what.substr(0, 100);
  }
}

TEST(Config, LoadsFiles) {
  const std::string path = testing::TempDir() + "basin_config_test_" + std::to_string(getpid()) + ".toml";
  std::ofstream(path) << "a = 1\nb = 2";
  const Config config = Config::load(path);
  EXPECT_EQ(config.integer("a"), 1);
  EXPECT_EQ(config.given(), "a = 1\nb = 2");
  EXPECT_EQ(error_of([&] { config.finish(); }).rfind(path + ":2:1: unknown key 'b'", 0), 0u);
  std::remove(path.c_str());
  EXPECT_EQ(error_of([&] { Config::load(path); }),
            "[config] cannot read '" + path + "'; expected a TOML experiment file of at most 16 MiB");
  EXPECT_NE(error_of([&] { Config::load("/dev/zero"); }).find("cannot read"), std::string::npos);
  EXPECT_NE(error_of([&] { Config::load(testing::TempDir()); }).find("cannot read"), std::string::npos);
}

TEST(Config, AValueFromElsewhereKeepsItsPlace) {
  Config config =
      Config::parse("[train]\nepochs = 3\n[many]\n\"train.epoch\" = [5]\nrate = \"x\"\n", "e.toml");
  const std::optional<Node> many = config.take_out("many");
  ASSERT_TRUE(many);
  EXPECT_FALSE(config.take_out("many"));
  EXPECT_FALSE(config.has("many"));
  Node five = many->children.at(0).children.at(0);
  five.key_place = five.place;
  config.set("train.epochs", five);
  EXPECT_EQ(config.table("train").integer("epochs"), 5);
  EXPECT_NE(config.given().find("# --set train.epochs=5"), std::string::npos);
  config.finish();
  config.set("train.epoch", five);
  EXPECT_EQ(error_of([&] { config.finish(); }).find("e.toml:4:18: [train] unknown key 'epoch'"), 0u);
  EXPECT_EQ(config.table("train").place(), "e.toml:1:1");
  Node text = many->children.at(1);
  config.set("train.epochs", text);
  EXPECT_EQ(error_of([&] { config.table("train").integer("epochs"); }).find("e.toml:5:8: [train] epochs"),
            0u);
  EXPECT_NE(error_of([&] { config.set("train..epochs", five); }).find("expected a key"), std::string::npos);
}

}  // namespace
}  // namespace basin
