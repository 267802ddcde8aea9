#include "program/program_fixture.h"

#include <stdlib.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace basin::test {

namespace fs = std::filesystem;

Program::Program() {
  std::string name = (fs::temp_directory_path() / "basin-program-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("mkdtemp failed");
  }
  folder_ = name;
}

Program::~Program() { fs::remove_all(folder_); }

Outcome Program::basin(std::vector<std::string> words, ProcessOptions options) const {
  words.insert(words.begin(), BASIN_PROGRAM);
  options.folder = folder_;
  return run_process(words, options);
}

std::string Program::write(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ / name, std::ios::binary) << text;
  return name;
}

std::string Program::bytes(const std::string& name) const {
  std::ifstream file(folder_ / name, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

std::vector<std::string> Program::files() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (entry.is_regular_file()) {
      names.push_back(fs::relative(entry.path(), folder_).string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

void Program::expect_refusal(const std::vector<std::string>& words, const std::string& part,
                             ProcessOptions options) const {
  const std::vector<std::string> before = files();
  const Outcome outcome = basin(words, std::move(options));
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_EQ(outcome.signal, 0);
  std::istringstream lines(outcome.err);
  std::string last;
  int errors = 0;
  for (std::string line; std::getline(lines, line);) {
    errors += line.starts_with("basin: ") ? 1 : 0;
    last = line;
  }
  EXPECT_EQ(errors, 1) << outcome.err;
  EXPECT_TRUE(last.starts_with("basin: ")) << outcome.err;
  EXPECT_NE(last.find(part), std::string::npos) << "expected '" << part << "' in: " << outcome.err;
  EXPECT_EQ(files(), before);
}

std::string small_experiment() {
  return R"(seed = 4
data = { name = "bars_and_stripes", scale = "threshold" }
model = { hidden = 12, weight_scale = 0.1 }
train = { objective = "pcd", centring = 0.05, epochs = 30, batch = 10 }
optimizer = { learning_rate = 0.05, momentum = 0.5, average = { from = 0.5 } }
evaluate = { ais = { chains = 20, temperatures = 20, burn_in = 10 } }
results = { file = "out.h5" }
)";
}

}  // namespace basin::test
