#include "energy/variable.h"

namespace basin {

std::string to_string(Domain domain) {
  switch (domain) {
    case Domain::Real:
      return "real";
    case Domain::NonNegative:
      return "non_negative";
    case Domain::Binary:
      return "binary";
    case Domain::Categorical:
      return "categorical";
  }
  return "unknown";
}

}  // namespace basin
