#include "energy/sample/discrete/units.h"

#include <fmt/format.h>

#include <algorithm>

#include "tensor/error.h"

namespace basin {

void require_domains(const char* who, const Block& block, std::initializer_list<Domain> domains,
                     const char* otherwise) {
  std::string names;
  for (const Domain domain : domains) names += (names.empty() ? "" : " or ") + to_string(domain);
  if (block.empty())
    throw Error(fmt::format("[{}] expected a variable to move, received none; name one", who));
  for (auto variable = block.begin(); variable != block.end(); ++variable) {
    if (std::find(domains.begin(), domains.end(), variable->domain) == domains.end()) {
      throw Error(fmt::format("[{}] expected {} variables, received {}, which is {}; {}", who, names,
                              variable->name, to_string(variable->domain), otherwise));
    }
    if (std::find(block.begin(), variable, *variable) != variable)
      throw Error(
          fmt::format("[{}] {} has variable {} twice; name it once", who, to_string(block), variable->name));
  }
}

}  // namespace basin
