#pragma once

#include <functional>

#include "data/dataset.h"
#include "training/stage.h"

namespace basin {

/// A stage as it is after some training, with what measures and plots may look at beside it.
struct StageView {
  const Stage& stage;
  std::function<const Dataset&()> data;  // what the stage learns from, loaded when first asked for
  std::function<const Preprocessing&()>
      preprocessing;  // how its samples look as pictures: also known without the data, by a results file
  const Carry& carry;
  Say say = {};
};

}  // namespace basin
