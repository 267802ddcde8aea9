#include "results/hdf5/store.h"

#include <fmt/format.h>

#include <algorithm>

#include "results/files/atomic_file.h"
#include "results/hdf5/hdf5_image.h"
#include "results/hdf5/seal.h"
#include "results/hdf5/trial.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// "/a/b" of "a/b", "/a/b" or "/a/b/"; "/" of "" and "/".
std::string absolute(const std::string& path) {
  std::string out;
  std::size_t begin = 0;
  while (begin < path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string step = path.substr(begin, end - begin);
    if (step == "." || step == ".." || step.find('\0') != std::string::npos) {
      throw Error(fmt::format("[store] expected a path like /group/name, received '{}'", path));
    }
    if (!step.empty()) {
      out += "/" + step;
    }
    begin = end + 1;
  }
  return out.empty() ? "/" : out;
}

bool is_below(const std::string& path, const std::string& group) {
  return group == "/" || path.starts_with(group + "/");
}

Shape one_axis_if_empty(Shape shape, std::size_t count, const std::string& path) {
  if (shape.empty()) {
    return {static_cast<Index>(count)};
  }
  if (element_count(shape) != static_cast<Index>(count)) {
    throw Error(fmt::format("[store] {}: expected {} numbers for shape {}, received {}", path,
                            element_count(shape), to_string(shape), count));
  }
  return shape;
}

/// Whether something lies at the path or below it.
template <class Map>
bool holds(const Map& map, const std::string& path) {
  return std::any_of(map.begin(), map.end(),
                     [&](const auto& item) { return item.first == path || is_below(item.first, path); });
}

template <class Map>
void erase_tree(Map& map, const std::string& path) {
  std::erase_if(map, [&](const auto& item) { return item.first == path || is_below(item.first, path); });
}

}  // namespace

void Store::insert(const std::string& path, Entry entry) {
  const std::string at = absolute(path);
  if (at == "/") {
    throw Error("[store] expected the path of a dataset, received an empty one");
  }
  for (std::size_t slash = at.find('/', 1); slash != std::string::npos; slash = at.find('/', slash + 1)) {
    if (entries_.count(at.substr(0, slash)) > 0) {
      throw Error(fmt::format("[store] cannot put {}: {} is a dataset, not a group; remove it first", at,
                              at.substr(0, slash)));
    }
  }
  const auto below = entries_.lower_bound(at + "/");
  if (below != entries_.end() && is_below(below->first, at)) {
    throw Error(
        fmt::format("[store] cannot put {}: it is a group that holds {}; remove it first", at, below->first));
  }
  entries_.insert_or_assign(at, std::move(entry));
}

void Store::put(const std::string& path, const Tensor& tensor) {
  if (!tensor.defined()) {
    throw Error(fmt::format("[store] {}: expected a tensor, received an empty handle", path));
  }
  insert(path, {tensor.device() == Device::Cpu ? tensor.clone() : tensor.to(Device::Cpu), tensor.shape()});
}

void Store::put(const std::string& path, std::vector<double> values, Shape shape) {
  shape = one_axis_if_empty(std::move(shape), values.size(), path);
  insert(path, {Tensor::from(values, shape, {Dtype::F64, Device::Cpu}), shape});
}

void Store::put(const std::string& path, std::vector<std::int64_t> values, Shape shape) {
  shape = one_axis_if_empty(std::move(shape), values.size(), path);
  insert(path, {std::move(values), std::move(shape)});
}

void Store::put_number(const std::string& path, double number) {
  insert(path, {Tensor::from(std::vector<double>{number}, {}, {Dtype::F64, Device::Cpu}), {}});
}

void Store::put_integer(const std::string& path, std::int64_t number) {
  insert(path, {std::vector<std::int64_t>{number}, {}});
}

void Store::put_text(const std::string& path, std::string text) { insert(path, {std::move(text), {}}); }

void Store::put_texts(const std::string& path, std::vector<std::string> texts) {
  Shape shape = {static_cast<Index>(texts.size())};
  insert(path, {std::move(texts), std::move(shape)});
}

void Store::attribute(const std::string& path, const std::string& name, Scalar value) {
  if (name.empty() || name.find('\0') != std::string::npos) {
    throw Error(fmt::format("[store] {}: expected the name of an attribute, received '{}'", path, name));
  }
  if (const auto* text = std::get_if<std::string>(&value);
      text != nullptr && text->find('\0') != text->npos) {
    throw Error(fmt::format("[store] {}: attribute '{}': expected a text without zeros in it", path, name));
  }
  attributes_[absolute(path)].insert_or_assign(name, std::move(value));
}

bool Store::has(const std::string& path) const {
  const std::string at = absolute(path);
  return holds(entries_, at) || holds(attributes_, at);
}

const Store::Entry& Store::entry(const std::string& path) const {
  const std::string at = absolute(path);
  const auto found = entries_.find(at);
  if (found == entries_.end()) {
    throw Error(fmt::format("[store] {}: expected a dataset {}, received none of that name", source(), at));
  }
  return found->second;
}

template <class T>
const T& Store::get(const std::string& path, const char* wanted) const {
  const T* content = std::get_if<T>(&entry(path).content);
  if (content == nullptr) {
    constexpr const char* kNames[] = {"floating-point numbers", "integers", "a text", "a list of texts"};
    throw Error(fmt::format("[store] {}: {}: expected {}, received {}", source(), absolute(path), wanted,
                            kNames[entry(path).content.index()]));
  }
  return *content;
}

Tensor Store::tensor(const std::string& path, Device device) const {
  const Tensor& held = get<Tensor>(path, "floating-point numbers");
  return device == Device::Cpu ? held.clone() : held.to(device);
}

std::vector<double> Store::numbers(const std::string& path) const {
  return get<Tensor>(path, "floating-point numbers").values();
}

std::vector<std::int64_t> Store::integers(const std::string& path) const {
  return get<std::vector<std::int64_t>>(path, "integers");
}

double Store::number(const std::string& path) const {
  const Tensor& held = get<Tensor>(path, "floating-point numbers");
  expect_one(path, static_cast<std::size_t>(held.size()));
  return held.item();
}

std::int64_t Store::integer(const std::string& path) const {
  const auto& held = get<std::vector<std::int64_t>>(path, "integers");
  expect_one(path, held.size());
  return held.front();
}

std::string Store::text(const std::string& path) const { return get<std::string>(path, "a text"); }

std::vector<std::string> Store::texts(const std::string& path) const {
  return get<std::vector<std::string>>(path, "a list of texts");
}

void Store::expect_one(const std::string& path, std::size_t count) const {
  if (count != 1) {
    throw Error(
        fmt::format("[store] {}: {}: expected one number, received {}", source(), absolute(path), count));
  }
}

const Store::Scalar* Store::find_attribute(const std::string& path, const std::string& name) const {
  const auto object = attributes_.find(absolute(path));
  if (object == attributes_.end()) return nullptr;
  const auto found = object->second.find(name);
  return found == object->second.end() ? nullptr : &found->second;
}

Store::Scalar Store::attribute(const std::string& path, const std::string& name) const {
  if (const Scalar* found = find_attribute(path, name)) return *found;
  throw Error(fmt::format("[store] {}: {} has no attribute '{}'", source(), absolute(path), name));
}

Shape Store::shape(const std::string& path) const { return entry(path).shape; }

std::vector<std::string> Store::list(const std::string& group) const {
  const std::string at = absolute(group);
  std::vector<std::string> paths;
  for (const auto& [path, entry] : entries_) {
    if (is_below(path, at)) {
      paths.push_back(path);
    }
  }
  return paths;
}

void Store::remove(const std::string& path) {
  const std::string at = absolute(path);
  erase_tree(entries_, at);
  erase_tree(attributes_, at);
}

Store Store::group(const std::string& path) const {
  const std::string at = absolute(path);
  const std::size_t cut = at == "/" ? 0 : at.size();
  Store inside;
  inside.source_ = source_;
  for (const auto& [name, entry] : entries_) {
    if (is_below(name, at)) inside.entries_[name.substr(cut)] = entry;
  }
  for (const auto& [name, attributes] : attributes_) {
    if (name == at)
      inside.attributes_["/"] = attributes;
    else if (is_below(name, at))
      inside.attributes_[name.substr(cut)] = attributes;
  }
  return inside;
}

void Store::put_group(const std::string& path, const Store& content) {
  const std::string at = absolute(path);
  remove(at);
  for (const auto& [name, entry] : content.entries_) insert(at + name, entry);
  for (const auto& [name, attributes] : content.attributes_)
    attributes_[name == "/" ? at : at + name] = attributes;
}

void Store::save(const std::string& path) const {
  write_atomically(path, seal(write_hdf5({entries_, attributes_})));
}

Store Store::load(const std::string& path) {
  std::string bytes = read_whole(path);
  if (!unseal(bytes, path)) try_to_read(path, [&] { read_hdf5(bytes, path); });
  Hdf5Content content = read_hdf5(bytes, path);
  Store store;
  store.entries_ = std::move(content.entries);
  store.attributes_ = std::move(content.attributes);
  store.source_ = path;
  return store;
}

}  // namespace basin
