#include "energy/sample/discrete/units.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
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

Index size_of(const Block& block) {
  Index size = 0;
  for (const Variable& variable : block) size += variable.size();
  return size;
}

Value side_by_side(const std::vector<Value>& values) {
  if (values.size() == 1) return flatten(values.front());
  std::vector<Value> rows;
  for (const Value& value : values) rows.push_back(flatten(value));
  return concat(rows, 1);
}

std::vector<Value> parted(const Block& block, const Value& rows) {
  std::vector<Value> values;
  Index begin = 0;
  for (const Variable& variable : block) {
    const Index end = begin + variable.size();
    values.push_back(as_values(variable, block.size() == 1 ? rows : slice(rows, 1, begin, end)));
    begin = end;
  }
  return values;
}

}  // namespace basin
