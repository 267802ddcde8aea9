#pragma once

#include <string>

#include "tensor/error.h"

namespace basin::test {

/// The text of the Error that `call` throws; "" when it throws none.
template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace basin::test
