#include "training/families/autoencoder.h"
#include "training/families/conv.h"
#include "training/families/lista.h"
#include "training/families/rbm.h"
#include "training/families/sparse.h"
#include "training/family.h"

namespace basin {

const std::vector<FamilyKind>& families() {
  static const std::vector<FamilyKind> all = {
      autoencoder_family(),    conv_psd_family(), conv_sparse_coding_family(),
      lcod_family(),           lista_family(),    psd_family(),
      psd_warm_start_family(), rbm_family(),      sparse_coding_family()};
  return all;
}

}  // namespace basin
