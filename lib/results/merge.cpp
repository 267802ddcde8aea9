#include "results/merge.h"

#include <variant>

namespace basin {
namespace {

struct Put {
  Store& into;
  const std::string& path;
  const Shape& shape;

  void operator()(const Tensor& tensor) const { into.put(path, tensor); }
  void operator()(const std::vector<std::int64_t>& numbers) const {
    shape.empty() ? into.put_integer(path, numbers.at(0)) : into.put(path, numbers, shape);
  }
  void operator()(const std::string& text) const { into.put_text(path, text); }
  void operator()(const std::vector<std::string>& texts) const { into.put_texts(path, texts); }
};

}  // namespace

void merge(Store& into, const Store& from) {
  for (const std::string& path : from.list()) {
    const Store::Entry& entry = from.entry(path);
    into.remove(path);
    std::visit(Put{into, path, entry.shape}, entry.content);
    for (const char* name : {"unit", "better"}) {
      if (const Store::Scalar* attribute = from.find_attribute(path, name))
        into.attribute(path, name, *attribute);
    }
  }
}

}  // namespace basin
