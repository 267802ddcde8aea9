#include "training/families/rbm.h"
#include "training/families/sparse.h"
#include "training/family.h"

namespace basin {

const std::vector<FamilyKind>& families() {
  static const std::vector<FamilyKind> all = {psd_family(), psd_warm_start_family(), rbm_family(), sparse_coding_family()};
  return all;
}

}  // namespace basin
