#include "arguments.h"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <charconv>
#include <sstream>

#include "config/nearest.h"
#include "console.h"
#include "device_option.h"

namespace basin::program {
namespace {

namespace po = boost::program_options;

po::options_description describe(const Syntax& syntax) {
  po::options_description described("Options", 80, 50);
  auto add = described.add_options();
  for (const Option& option : all_options(syntax)) {
    if (option.value.empty()) {
      add(option.name.c_str(), option.text.c_str());
    } else if (option.many) {
      add(option.name.c_str(),
          po::value<std::vector<std::string>>()->multitoken()->composing()->value_name(option.value),
          option.text.c_str());
    } else {
      add(option.name.c_str(), po::value<std::string>()->value_name(option.value), option.text.c_str());
    }
  }
  return described;
}

bool optional(const std::string& positional) { return positional.starts_with('['); }

}  // namespace

std::vector<Option> all_options(const Syntax& syntax) {
  std::vector<Option> options = syntax.options;
  if (syntax.computes) options.insert(options.end(), device_options().begin(), device_options().end());
  options.push_back({"debug", "", "on failure, print also the kind of error, the command line and what ran"});
  options.push_back({"help,h", "", "this text"});
  return options;
}

std::string help(const Syntax& syntax) {
  std::ostringstream out;
  out << "Usage: basin " << syntax.command;
  for (const std::string& name : syntax.positionals) {
    out << ' ' << name;
  }
  out << " [options]\n" << wrapped(syntax.summary) << "\n" << describe(syntax);
  if (!syntax.details.empty()) out << '\n' << wrapped(syntax.details);
  out << "\nExamples:\n";
  for (std::size_t i = 0; i + 1 < syntax.examples.size(); i += 2) {
    out << "  " << syntax.examples[i] << '\n' << wrapped("      " + syntax.examples[i + 1]);
  }
  return out.str();
}

Arguments::Arguments(const Syntax& syntax, const std::vector<std::string>& words) : command_(syntax.command) {
  po::options_description all = describe(syntax);
  all.add_options()("positional", po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add("positional", -1);
  po::variables_map map;
  try {
    namespace style = po::command_line_style;
    // Without guessing: "--ou" is an error, not "--out".
    po::store(po::command_line_parser(words)
                  .options(all)
                  .positional(positional)
                  .style(style::default_style & ~style::allow_guessing)
                  .run(),
              map);
  } catch (const po::unknown_option& error) {
    std::vector<std::string> known;
    for (const Option& option : all_options(syntax))
      known.push_back("--" + option.name.substr(0, option.name.find(',')));
    const std::string near = nearest(error.get_option_name(), known);
    fail(fmt::format("unrecognised option '{}'{}", error.get_option_name(),
                     near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  } catch (const po::error& error) {
    fail(error.what());
  }
  for (const auto& [name, value] : map) {
    if (value.value().type() == typeid(std::vector<std::string>)) {
      values_[name] = value.as<std::vector<std::string>>();
    } else if (value.value().type() == typeid(std::string)) {
      values_[name] = {value.as<std::string>()};
    } else {
      values_[name] = {};
    }
  }
  positionals_ = texts("positional");
  // An option that takes several words swallows a file name after it: give back what cannot be a setting.
  for (const Option& option : syntax.options) {
    if (option.many) {
      std::vector<std::string> kept;
      for (std::string& word : values_[option.name]) {
        (word.find('=') == std::string::npos ? positionals_ : kept).push_back(std::move(word));
      }
      values_[option.name] = std::move(kept);
    }
  }
  if (has("help")) {
    return;
  }
  std::size_t required = 0;
  for (const std::string& name : syntax.positionals) {
    required += optional(name) ? 0 : 1;
  }
  if (positionals_.size() < required) {
    fail(fmt::format("expected {}, received nothing", syntax.positionals[positionals_.size()]));
  }
  const std::string last = syntax.positionals.empty() ? "" : syntax.positionals.back();
  const bool many = last.ends_with("...") || last.ends_with("...]");
  if (!many && positionals_.size() > syntax.positionals.size()) {
    fail(fmt::format("unexpected argument '{}'", positionals_[syntax.positionals.size()]));
  }
}

bool Arguments::has(const std::string& option) const { return values_.contains(option); }

std::optional<std::string> Arguments::text(const std::string& option) const {
  const auto found = values_.find(option);
  if (found == values_.end() || found->second.empty()) {
    return std::nullopt;
  }
  return found->second.front();
}

std::vector<std::string> Arguments::texts(const std::string& option) const {
  const auto found = values_.find(option);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

std::optional<std::int64_t> Arguments::integer(const std::string& option, std::int64_t least,
                                               std::int64_t most) const {
  const std::optional<std::string> word = text(option);
  if (!word) {
    return std::nullopt;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), value);
  if (error != std::errc{} || end != word->data() + word->size() || value < least) {
    fail(fmt::format("--{} expected a whole number of at least {}, received '{}'", option, least, *word));
  }
  if (value > most)
    fail(fmt::format("--{} expected a whole number of at most {}, received '{}'", option, most, *word));
  return value;
}

std::string Arguments::positional(std::size_t index) const {
  return index < positionals_.size() ? positionals_[index] : std::string();
}

void Arguments::fail(const std::string& what) const {
  throw UsageError(fmt::format("[{0}] {1}; see basin {0} --help", command_, what));
}

}  // namespace basin::program
