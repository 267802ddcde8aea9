#pragma once

#include <string>
#include <vector>

namespace basin::test {

/// The fenced blocks of one language ("toml") on the page, README.md, in their order: of one section ("##
/// Your own data"), or of all ("").
std::vector<std::string> page_blocks(const std::string& language, const std::string& section = "");

}  // namespace basin::test
