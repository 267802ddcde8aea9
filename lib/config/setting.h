#pragma once

#include <string>
#include <string_view>

#include "config/node.h"

namespace basin {

/// The node at "a.b[2].c" below `root`; nullptr when there is none. "" is the root. A table in an array is
/// also found by its number or by its key `name`: "stages.0.train", "stages.first.train".
const Node* find_path(const Node& root, std::string_view path);

/// The same, with tables made where there is nothing; arrays must be there already.
Node& make_path(Node& root, std::string_view path);

/// Writes "path=value" into the document: value in TOML syntax; a bare word counts as a text. Missing tables
/// are made. Throws Error when it is not of that form, or when the path leads through something that is not a
/// table.
void apply_setting(Node& root, std::string_view setting);

/// The same with a value that stands somewhere already: messages name `value.place`, and `value.key_place`
/// for the tables and keys that are made. `origin` opens messages on the path.
void apply_setting(Node& root, std::string_view path, Node value, const std::string& origin);

}  // namespace basin
