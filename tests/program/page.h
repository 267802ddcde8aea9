#pragma once

#include <string>
#include <vector>

namespace basin::test {

/// The fenced blocks of one language ("toml") on the page, README.md, in their order: of one section ("##
/// Your own data"), or of all ("").
std::vector<std::string> page_blocks(const std::string& language, const std::string& section = "");

/// The paths in the first columns of the tables of LAYOUT.md, those of a stage below /stages/<name>; <...>
/// stands for any name.
std::vector<std::string> layout_paths();
/// Whether a path of a results file is one of these.
bool is_laid_out(const std::string& path, const std::vector<std::string>& layout);

}  // namespace basin::test
