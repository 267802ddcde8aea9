#include "epoch_log.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace basin::program {
namespace {

std::string line_of(const History::Table& table, std::size_t row) {
  std::string line = fmt::format("{}", table.at[row]);
  for (const auto& [name, column] : table.columns) line += fmt::format(",{}", column[row]);
  return line + "\n";
}

}  // namespace

EpochLog::EpochLog(std::string path, bool is_pipeline, std::function<void(const std::string&)> say)
    : path_(std::move(path)), is_pipeline_(is_pipeline), say_(std::move(say)) {}

void EpochLog::step(const FitReport& report) {
  if (path_.empty()) return;
  const bool is_new = names_.empty() || report.stage != stage_;
  if (!is_new && !report.epoch_ended) return;
  const History::Table& table = report.history->epochs();
  std::vector<std::string> names = {"epoch"};
  for (const auto& [name, column] : table.columns) names.push_back(name);
  std::filesystem::path path(path_);
  if (is_pipeline_)
    path.replace_filename(
        fmt::format("{}_{}{}", path.stem().string(), report.stage, path.extension().string()));
  // Where the file does not hold all epochs but the newest, it is written anew.
  const bool goes_on = !is_new && names == names_ && table.at.size() == epochs_.size() + 1 &&
                       std::equal(epochs_.begin(), epochs_.end(), table.at.begin());
  std::string text = goes_on ? line_of(table, epochs_.size()) : fmt::format("{}\n", fmt::join(names, ","));
  for (std::size_t row = 0; !goes_on && row < table.at.size(); ++row) text += line_of(table, row);
  names_ = std::move(names);
  epochs_ = table.at;
  stage_ = report.stage;
  write(path.string(), text, goes_on);
}

void EpochLog::write(const std::string& path, const std::string& text, bool append) {
  std::error_code none;
  const std::filesystem::file_status there = std::filesystem::status(path, none);
  if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there)) {  // nobody may read a pipe
    say_(fmt::format("warning: {} is no ordinary file; the run goes on without it", path));
    path_.clear();
    return;
  }
  std::ofstream file(path, std::ios::binary | (append ? std::ios::app : std::ios::trunc));
  file << text << std::flush;
  if (file) return;
  say_(fmt::format("warning: cannot write {}: {}; the run goes on without it", path, std::strerror(errno)));
  path_.clear();
}

}  // namespace basin::program
