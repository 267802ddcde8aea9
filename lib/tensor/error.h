#pragma once

#include <stdexcept>

namespace basin {

/// The one exception basin throws on purpose. Its text is one line for the user:
/// "[who] what was expected, what came, what to do".
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace basin
