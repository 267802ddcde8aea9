#include "data/sets/backgrounds.h"

#include "data/images/crops.h"
#include "data/sets/sets.h"

namespace basin {

Tensor background_patches(Key key, Index count, const ImportLimit& limit) {
  const CatalogEntry kodak = kodak_entry();
  const ImageStack pictures = read_images(locate(kodak, kodak.files[0]), "", limit);
  return crops(pictures, key, count, {.size = 28, .least_variance = 0.01}, limit);
}

}  // namespace basin
