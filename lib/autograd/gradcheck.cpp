#include "autograd/gradcheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "tensor/random.h"

namespace basin {
namespace {

using Function = std::function<Value(const std::vector<Value>&)>;
using Numbers = std::vector<std::vector<double>>;  // one list of elements per argument

/// The function contracted with fixed pseudo-random weights, at points given as host numbers.
class Contracted {
 public:
  Contracted(const Function& function, const std::vector<Tensor>& at) : function_(function) {
    for (const Tensor& tensor : at) {
      like_.push_back(tensor);
      point_.push_back(tensor.values());
    }
  }

  const Numbers& point() const { return point_; }

  std::vector<Value> leaves(const Numbers& point) const {
    std::vector<Value> result;
    for (std::size_t i = 0; i < like_.size(); ++i) result.push_back(Value::leaf(tensor(i, point[i])));
    return result;
  }

  Value operator()(const std::vector<Value>& arguments) const {
    const Value output = function_(arguments);
    return sum(output * Value(normal(Key(0).fold("gradcheck"), output.shape(), output.placement())));
  }

  Tensor tensor(std::size_t argument, const std::vector<double>& numbers) const {
    return Tensor::from(std::span<const double>(numbers), like_[argument].shape(), {Dtype::F64, like_[argument].device()});
  }

  Numbers gradient(const Numbers& point) const {
    const std::vector<Value> arguments = leaves(point);
    Numbers result;
    for (const Value& part : grad((*this)(arguments), arguments)) result.push_back(part.tensor().values());
    return result;
  }

 private:
  const Function& function_;
  std::vector<Tensor> like_;
  Numbers point_;
};

/// "" when received is close to expected.
std::string compare(int order, std::size_t argument, std::size_t element, double expected, double received, double tolerance) {
  if (std::abs(received - expected) <= tolerance * std::max(1.0, std::abs(expected))) return "";  // false for NaN
  return fmt::format("[gradcheck] order {}, argument {}, element {}: expected {} by finite differences, received {}", order, argument,
                     element, expected, received);
}

std::string check_gradient(const Contracted& f, const GradcheckOptions& options) {
  const Numbers analytic = f.gradient(f.point());
  for (std::size_t i = 0; i < analytic.size(); ++i) {
    for (std::size_t j = 0; j < analytic[i].size(); ++j) {
      const double x = f.point()[i][j], h = options.step * std::max(1.0, std::abs(x));
      Numbers ahead = f.point(), behind = f.point();
      ahead[i][j] = x + h;
      behind[i][j] = x - h;
      const double numeric = (f(f.leaves(ahead)).item() - f(f.leaves(behind)).item()) / (2.0 * h);
      const std::string complaint = compare(1, i, j, numeric, analytic[i][j], options.tolerance);
      if (!complaint.empty()) return complaint;
    }
  }
  return "";
}

/// One random direction moves all arguments at once; a wrong entry of the Hessian shows up with probability 1.
std::string check_hessian(const Contracted& f, const GradcheckOptions& options) {
  std::vector<Value> directions;
  Numbers ahead = f.point(), behind = f.point();
  const double h = options.step;
  for (std::size_t i = 0; i < ahead.size(); ++i) {
    const Tensor here = f.tensor(i, ahead[i]);
    std::vector<double> direction = normal(Key(0).fold("direction").fold(i), here.shape(), here.placement()).values();
    for (std::size_t j = 0; j < direction.size(); ++j) {
      direction[j] *= std::max(1.0, std::abs(ahead[i][j]));
      ahead[i][j] += h * direction[j];
      behind[i][j] -= h * direction[j];
    }
    directions.emplace_back(f.tensor(i, direction));
  }
  const std::vector<Value> arguments = f.leaves(f.point());
  const std::vector<Value> analytic = hessian_vector_product(f(arguments), arguments, directions);
  const Numbers up = f.gradient(ahead), down = f.gradient(behind);
  for (std::size_t i = 0; i < analytic.size(); ++i) {
    const std::vector<double> received = analytic[i].tensor().values();
    for (std::size_t j = 0; j < received.size(); ++j) {
      const double numeric = (up[i][j] - down[i][j]) / (2.0 * h);
      const std::string complaint = compare(2, i, j, numeric, received[j], options.tolerance);
      if (!complaint.empty()) return complaint;
    }
  }
  return "";
}

}  // namespace

std::string gradcheck(const std::function<Value(const std::vector<Value>&)>& function, const std::vector<Tensor>& at,
                      GradcheckOptions options) {
  const Contracted f(function, at);
  std::string complaint = check_gradient(f, options);
  if (complaint.empty() && options.order >= 2) complaint = check_hessian(f, options);
  return complaint;
}

}  // namespace basin
