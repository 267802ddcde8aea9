#include "energy/side_by_side.h"

#include "autograd/ops.h"
#include "energy/sample_ops.h"

namespace basin {

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
