#include "autograd/gradcheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

using Numbers = std::vector<std::vector<double>>;  // one list of elements per leaf

/// The function contracted with fixed pseudo-random weights, and the leaves it reads.
class Contracted {
 public:
  Contracted(const std::function<Value()>& function, const std::vector<Value>& leaves)
      : function_(function), leaves_(leaves) {
    for (const Value& leaf : leaves) point_.push_back(leaf.tensor().values());
  }

  const std::vector<Value>& leaves() const { return leaves_; }
  const Numbers& point() const { return point_; }

  Value operator()() const {
    const Value output = function_();
    return sum(output * Value(normal(Key(0).fold("gradcheck"), output.shape(), output.placement())));
  }

  Numbers gradient() const {
    Numbers result;
    for (const Value& part : grad((*this)(), leaves_)) result.push_back(part.tensor().values());
    return result;
  }

  /// Writes numbers into one leaf.
  void move(std::size_t leaf, const std::vector<double>& numbers) const {
    leaves_[leaf].tensor().copy_from(like(leaf, numbers));
  }
  void move(const Numbers& numbers) const {
    for (std::size_t i = 0; i < leaves_.size(); ++i) move(i, numbers[i]);
  }

  /// Numbers in the shape and place of a leaf.
  Tensor like(std::size_t leaf, const std::vector<double>& numbers) const {
    return Tensor::from(std::span<const double>(numbers), leaves_[leaf].shape(), leaves_[leaf].placement());
  }

 private:
  const std::function<Value()>& function_;
  const std::vector<Value>& leaves_;
  Numbers point_;
};

/// "" when received is close to expected.
std::string compare(int order, std::size_t argument, std::size_t element, double expected, double received,
                    double tolerance) {
  if (std::abs(received - expected) <= tolerance * std::max(1.0, std::abs(expected)))
    return "";  // false for NaN
  return fmt::format(
      "[gradcheck] order {}, argument {}, element {}: expected {} by finite differences, received {}", order,
      argument, element, expected, received);
}

std::string check_gradient(const Contracted& f, const GradcheckOptions& options) {
  const Numbers analytic = f.gradient();
  for (std::size_t i = 0; i < analytic.size(); ++i) {
    std::vector<double> moved = f.point()[i];
    for (std::size_t j = 0; j < moved.size(); ++j) {
      const double x = moved[j], h = options.step * std::max(1.0, std::abs(x));
      const auto at = [&](double value) {
        moved[j] = value;
        f.move(i, moved);
        return f().item();
      };
      const double numeric = (at(x + h) - at(x - h)) / (2.0 * h);
      moved[j] = x;
      f.move(i, moved);
      const std::string complaint = compare(1, i, j, numeric, analytic[i][j], options.tolerance);
      if (!complaint.empty()) return complaint;
    }
  }
  return "";
}

/// One random direction moves all leaves at once; a wrong entry of the Hessian shows up with probability 1.
std::string check_hessian(const Contracted& f, const GradcheckOptions& options) {
  std::vector<Value> directions;
  Numbers ahead = f.point(), behind = f.point();
  for (std::size_t i = 0; i < ahead.size(); ++i) {
    const Value& leaf = f.leaves()[i];
    std::vector<double> direction =
        normal(Key(0).fold("direction").fold(i), leaf.shape(), leaf.placement()).values();
    for (std::size_t j = 0; j < direction.size(); ++j) {
      direction[j] *= std::max(1.0, std::abs(ahead[i][j]));
      ahead[i][j] += options.step * direction[j];
      behind[i][j] -= options.step * direction[j];
    }
    directions.emplace_back(f.like(i, direction));
  }
  const std::vector<Value> analytic = hessian_vector_product(f(), f.leaves(), directions);
  f.move(ahead);
  const Numbers up = f.gradient();
  f.move(behind);
  const Numbers down = f.gradient();
  f.move(f.point());
  for (std::size_t i = 0; i < analytic.size(); ++i) {
    const std::vector<double> received = analytic[i].tensor().values();
    for (std::size_t j = 0; j < received.size(); ++j) {
      const double numeric = (up[i][j] - down[i][j]) / (2.0 * options.step);
      const std::string complaint = compare(2, i, j, numeric, received[j], options.tolerance);
      if (!complaint.empty()) return complaint;
    }
  }
  return "";
}

}  // namespace

std::string gradcheck(const std::function<Value()>& function, const std::vector<Value>& leaves,
                      GradcheckOptions options) {
  for (const Value& leaf : leaves) {
    if (raw::checked("gradcheck", leaf).dtype() != Dtype::F64) {
      throw Error(
          "[gradcheck] expected leaves in f64, received f32; differences of f32 numbers say nothing, convert "
          "them with Tensor::to");
    }
  }
  const Contracted f(function, leaves);
  std::string complaint = check_gradient(f, options);
  if (complaint.empty() && options.order >= 2) complaint = check_hessian(f, options);
  return complaint;
}

std::string gradcheck(const std::function<Value(const std::vector<Value>&)>& function,
                      const std::vector<Tensor>& at, GradcheckOptions options) {
  std::vector<Value> leaves;
  for (const Tensor& tensor : at)
    leaves.push_back(Value::leaf(tensor.dtype() == Dtype::F64 ? tensor.clone() : tensor.to(Dtype::F64)));
  return gradcheck([&] { return function(leaves); }, leaves, options);
}

}  // namespace basin
