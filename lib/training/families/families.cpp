#include "training/families/rbm.h"
#include "training/family.h"

namespace basin {

const std::vector<FamilyKind>& families() {
  static const std::vector<FamilyKind> all = {rbm_family()};
  return all;
}

}  // namespace basin
