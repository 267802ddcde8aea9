#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "commands.h"
#include "console.h"
#include "revision.h"

namespace basin::program {
namespace {

/// "out" and "o" of "out,o"; the second is empty where there is no letter.
std::pair<std::string, std::string> names_of(const Option& option) {
  const std::size_t comma = option.name.find(',');
  return {option.name.substr(0, comma), comma == std::string::npos ? "" : option.name.substr(comma + 1)};
}

/// Words that a command line may hold literally: "list", "info" of "list|info|fetch NAME".
std::vector<std::string> literal_words(const Syntax& syntax) {
  std::vector<std::string> words;
  for (const std::string& positional : syntax.positionals) {
    if (positional.find('|') == std::string::npos || positional.starts_with('[')) continue;
    for (std::size_t at = 0; at <= positional.size();) {
      const std::size_t end = std::min(positional.find('|', at), positional.size());
      words.push_back(positional.substr(at, end - at));
      at = end + 1;
    }
  }
  return words;
}

/// A text with a backslash before each of some characters.
std::string escaped(const std::string& text, const std::string& characters) {
  std::string out;
  for (const char character : text) {
    if (characters.find(character) != std::string::npos) out += '\\';
    out += character;
  }
  return out;
}

/// A word of zsh: within single quotes, where what is special to completions is escaped.
std::string zsh_word(const std::string& text, const std::string& special) {
  std::string out;
  for (const char character : escaped(text, special + "\\"))
    out += character == '\'' ? "'\\''" : std::string(1, character);
  return out;
}

/// All options of a command as typed: "--out", "-o".
std::vector<std::string> typed_options(const Syntax& syntax) {
  std::vector<std::string> words;
  for (const Option& option : all_options(syntax)) {
    const auto [name, letter] = names_of(option);
    words.push_back("--" + name);
    if (!letter.empty()) words.push_back("-" + letter);
  }
  return words;
}

std::string bash() {
  std::vector<std::string> names;
  std::string cases;
  for (const Command& command : commands()) {
    const Syntax& syntax = command.syntax();
    names.push_back(syntax.command);
    std::vector<std::string> words = literal_words(syntax);
    std::ranges::copy(typed_options(syntax), std::back_inserter(words));
    cases += fmt::format("    {}) words='{}' ;;\n", syntax.command, fmt::join(words, " "));
  }
  return fmt::format(
      "# Completion of basin for bash:  source <(basin completions bash)\n"
      "_basin() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} words='help --help --version {}'\n"
      "  if ((COMP_CWORD > 1)); then case ${{COMP_WORDS[1]}} in\n"
      "{}"
      "    help) words='{}' ;;\n"
      "    *) words= ;;\n"
      "  esac; fi\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "}}\n"
      "complete -o default -F _basin basin\n",
      fmt::join(names, " "), cases, fmt::join(names, " "));
}

std::string zsh() {
  std::string names, cases;
  for (const Command& command : commands()) {
    const Syntax& syntax = command.syntax();
    names += fmt::format("    '{}:{}'\n", syntax.command, zsh_word(syntax.summary, ":"));
    cases += fmt::format("    {}) _arguments", syntax.command);
    for (const Option& option : all_options(syntax)) {
      const std::string text = zsh_word(option.text, "[]:");
      const auto [name, letter] = names_of(option);
      const std::string argument = option.value.empty() ? "" : fmt::format(":{}:_files", option.value);
      cases += fmt::format(" \\\n      '{}--{}[{}]{}'", option.many ? "*" : "", name, text, argument);
      if (!letter.empty()) cases += fmt::format(" \\\n      '-{}[{}]{}'", letter, text, argument);
    }
    if (const std::vector<std::string> words = literal_words(syntax); !words.empty())
      cases += fmt::format(" \\\n      '1:what:({})'", fmt::join(words, " "));
    cases += " \\\n      '*:file:_files' ;;\n";
  }
  return fmt::format(
      "#compdef basin\n"
      "# Completion of basin for zsh:  basin completions zsh > ${{fpath[1]}}/_basin\n"
      "_basin() {{\n"
      "  local -a known=(\n{}  )\n"
      "  if ((CURRENT == 2)); then _describe command known; return; fi\n"
      "  local command=${{words[2]}}\n"
      "  shift words\n"
      "  ((CURRENT--))\n"
      "  case $command in\n"
      "{}"
      "    help) _describe command known ;;\n"
      "  esac\n"
      "}}\n"
      "# Loaded by its name, this is the first call itself.\n"
      "if [[ $funcstack[1] == _basin ]]; then _basin \"$@\"; else compdef _basin basin; fi\n",
      names, cases);
}

std::string fish() {
  std::string text =
      "# Completion of basin for fish:  basin completions fish > ~/.config/fish/completions/basin.fish\n";
  for (const Command& command : commands()) {
    const Syntax& syntax = command.syntax();
    text += fmt::format("complete -c basin -n __fish_use_subcommand -f -a {} -d '{}'\n", syntax.command,
                        escaped(syntax.summary, "'\\"));
    const std::string seen =
        fmt::format("complete -c basin -n '__fish_seen_subcommand_from {}'", syntax.command);
    for (const std::string& word : literal_words(syntax)) text += fmt::format("{} -a {}\n", seen, word);
    for (const Option& option : all_options(syntax)) {
      const auto [name, letter] = names_of(option);
      text += fmt::format("{} -l {}{}{} -d '{}'\n", seen, name, letter.empty() ? "" : " -s " + letter,
                          option.value.empty() ? "" : " -r", escaped(option.text, "'\\"));
    }
  }
  return text;
}

/// Text of a man page: what troff takes for its own is escaped.
std::string roff(const std::string& text) {
  std::string out;
  for (const char character : text) {
    if (out.empty() || out.back() == '\n')
      if (character == '.' || character == '\'') out += "\\&";
    if (character == '\\' || character == '-') out += '\\';
    out += character;
  }
  return out;
}

std::string page() {
  std::string text = fmt::format(
      ".TH BASIN 1 \"\" \"basin {}\" \"User commands\"\n.SH NAME\nbasin \\- energy\\-based and unsupervised "
      "learning from experiment files\n.SH SYNOPSIS\n",
      roff(revision()));
  for (const Command& command : commands()) {
    const Syntax& syntax = command.syntax();
    text += fmt::format(".B basin {}\n{} [options]\n.br\n", syntax.command,
                        roff(fmt::format("{}", fmt::join(syntax.positionals, " "))));
  }
  text += ".SH COMMANDS\n";
  for (const Command& command : commands()) {
    const Syntax& syntax = command.syntax();
    text += fmt::format(".SS basin {}\n{}.\n", syntax.command, roff(syntax.summary));
    for (const Option& option : all_options(syntax)) {
      const auto [name, letter] = names_of(option);
      text += fmt::format(".TP\n\\fB{}{}\\fR {}\n{}\n", letter.empty() ? "" : roff("-" + letter + ", "),
                          roff("--" + name), option.value.empty() ? "" : "\\fI" + roff(option.value) + "\\fR",
                          roff(option.text));
    }
    if (!syntax.details.empty()) text += ".PP\n.nf\n" + roff(wrapped(syntax.details)) + ".fi\n";
    text += ".PP\nExamples:\n";
    for (std::size_t i = 0; i + 1 < syntax.examples.size(); i += 2)
      text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(syntax.examples[i]), roff(syntax.examples[i + 1]));
  }
  return text + fmt::format(
                    ".SH EXIT STATUS\n{} done; {} failed (one line on stderr says why); {} wrong command "
                    "line; {} interrupted.\n.SH ENVIRONMENT\nBASIN_DATA: folder searched for data sets. "
                    "OMP_NUM_THREADS: threads unless \\-\\-threads is given.\n",
                    kDone, kFailed, kUsage, kInterrupted);
}

}  // namespace

const Syntax& completions_syntax() {
  static const Syntax syntax = {
      .command = "completions",
      .summary = "prints what a shell needs to complete commands and options",
      .positionals = {"bash|zsh|fish"},
      .options = {},
      .details = "",
      .examples = {"source <(basin completions bash)", "in this shell; in ~/.bashrc for all"}};
  return syntax;
}

int completions_command(const Arguments& arguments) {
  const std::string shell = arguments.positional(0);
  if (shell != "bash" && shell != "zsh" && shell != "fish")
    throw UsageError(fmt::format(
        "[completions] expected bash, zsh or fish, received '{}'; see basin completions --help", shell));
  print(shell == "bash" ? bash() : shell == "zsh" ? zsh() : fish());
  return kDone;
}

const Syntax& manual_syntax() {
  static const Syntax syntax = {
      .command = "manual",
      .summary = "prints the man page of all commands",
      .positionals = {},
      .options = {},
      .details = "",
      .examples = {"basin manual > ~/.local/share/man/man1/basin.1", "from then on: man basin"}};
  return syntax;
}

int manual_command(const Arguments&) {
  print(page());
  return kDone;
}

}  // namespace basin::program
