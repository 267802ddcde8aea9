#pragma once

#include <map>
#include <memory>
#include <string>
#include <typeindex>
#include <utility>

namespace basin {

/// Facts about a stage that some measure or plot asks for, at most one of a type: Codes, Likelihood,
/// Dictionary and others. A facet is a struct with a text `kWhat` ("codes that are inferred"), declared where
/// it is used; kinds fill in those that they have. Copies share them.
class Facets {
 public:
  template <class T>
  Facets& set(T facet) {
    facets_[std::type_index(typeid(T))] = std::make_shared<const T>(std::move(facet));
    return *this;
  }
  template <class T>
  const T* get() const {
    const auto found = facets_.find(std::type_index(typeid(T)));
    return found == facets_.end() ? nullptr : static_cast<const T*>(found->second.get());
  }

 private:
  std::map<std::type_index, std::shared_ptr<const void>> facets_;
};

/// Throws Error "[who] expected a stage with <what>, received a <kind>".
[[noreturn]] void refuse_facet(const char* who, const char* what, const std::string& kind);

}  // namespace basin
