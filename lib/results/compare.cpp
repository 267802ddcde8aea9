#include "results/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace basin {
namespace {

std::string kind_of(const Store::Entry& entry) {
  struct Name {
    std::string operator()(const Tensor& tensor) const { return to_string(tensor.dtype()) + " tensor"; }
    std::string operator()(const std::vector<std::int64_t>&) const { return "integers"; }
    std::string operator()(const std::string&) const { return "text"; }
    std::string operator()(const std::vector<std::string>&) const { return "texts"; }
  };
  return std::visit(Name{}, entry.content);
}

/// Position of the first element whose bits differ, -1 for none; NaN equals the same NaN, and 0 is not -0.
template <class T>
std::int64_t first_different(const T* a, const T* b, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (std::memcmp(a + i, b + i, sizeof(T)) != 0) {
      return static_cast<std::int64_t>(i);
    }
  }
  return -1;
}

std::int64_t first_different(const Tensor& a, const Tensor& b) {
  const auto count = static_cast<std::size_t>(a.size());
  return a.dtype() == Dtype::F32 ? first_different(a.host<float>(), b.host<float>(), count)
                                 : first_different(a.host<double>(), b.host<double>(), count);
}

/// "" when equal.
std::string difference(const Store::Entry& a, const Store::Entry& b) {
  if (kind_of(a) != kind_of(b)) {
    return fmt::format("{} against {}", kind_of(a), kind_of(b));
  }
  // Earlier versions wrote a scalar as a list of one.
  const auto is_scalar = [](const Shape& shape) { return shape.empty() || shape == Shape{1}; };
  if (a.shape != b.shape && !(is_scalar(a.shape) && is_scalar(b.shape))) {
    return fmt::format("shape {} against {}", to_string(a.shape), to_string(b.shape));
  }
  std::int64_t at = -1;
  if (const auto* tensor = std::get_if<Tensor>(&a.content)) {
    at = first_different(*tensor, std::get<Tensor>(b.content));
  } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&a.content)) {
    at = first_different(integers->data(), std::get<std::vector<std::int64_t>>(b.content).data(),
                         integers->size());
  } else if (const auto* text = std::get_if<std::string>(&a.content)) {
    return *text == std::get<std::string>(b.content) ? "" : "another text";
  } else {
    return std::get<std::vector<std::string>>(a.content) == std::get<std::vector<std::string>>(b.content)
               ? ""
               : "other texts";
  }
  return at < 0 ? "" : fmt::format("first at element {}", at);
}

}  // namespace

std::vector<std::string> differences(const Store& a, const Store& b,
                                     const std::vector<std::string>& ignored) {
  std::set<std::string> paths;
  for (const Store* store : {&a, &b}) {
    for (const std::string& path : store->list()) {
      const auto inside = [&](const std::string& group) {
        return path == group || path.starts_with(group + "/");
      };
      if (std::none_of(ignored.begin(), ignored.end(), inside)) {
        paths.insert(path);
      }
    }
  }
  std::vector<std::string> lines;
  for (const std::string& path : paths) {
    if (!a.has(path) || !b.has(path)) {
      lines.push_back(fmt::format("{}: only in the {}", path, a.has(path) ? "first" : "second"));
    } else if (const std::string how = difference(a.entry(path), b.entry(path)); !how.empty()) {
      lines.push_back(fmt::format("{}: {}", path, how));
    }
  }
  return lines;
}

}  // namespace basin
