#include "benchmarks/gpu/gpu_case.h"

#include <memory>

#include "tensor/backend.h"

namespace basin::benchmarks {

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const auto& part : {rbm_cases, sparse_cases, network_cases, sequence_cases}) {
    for (Case& one : part()) all.push_back(std::move(one));
  }
  return all;
}

std::function<void()> products(const Setting& setting, const std::vector<std::array<Index, 3>>& sizes,
                               Index times) {
  struct Product {
    Tensor a, b, c;
  };
  const auto all = std::make_shared<std::vector<Product>>();
  for (const auto& [m, n, k] : sizes) {
    all->push_back({Tensor::full({m, k}, 0.5, setting.placement),
                    Tensor::full({k, n}, 0.25, setting.placement), Tensor::zeros({m, n}, setting.placement)});
  }
  return [all, times, setting] {
    for (Index i = 0; i < times; ++i) {
      for (const Product& one : *all) {
        backend(setting.placement.device)
            .gemm({.dtype = setting.placement.dtype,
                   .m = one.c.dim(0),
                   .n = one.c.dim(1),
                   .k = one.a.dim(1),
                   .a = one.a.data(),
                   .lda = one.a.dim(1),
                   .b = one.b.data(),
                   .ldb = one.b.dim(1),
                   .c = one.c.data(),
                   .ldc = one.c.dim(1)});
      }
    }
  };
}

void wait_for(Placement placement) {
  static const Tensor one = Tensor::zeros({1}, placement);
  one.item();
}

}  // namespace basin::benchmarks
