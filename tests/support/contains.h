#pragma once

#include <string>

namespace basin::test {

/// Whether a text holds another.
inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace basin::test
