#pragma once

#include <memory>

#include "data/dataset.h"
#include "energy/objective.h"
#include "models/rbm.h"
#include "training/plan.h"
#include "training/source.h"

namespace basin {

/// The data set a plan names.
Dataset load_data(const Plan& plan);

/// The model a plan describes for samples of a shape, initialised under Key(plan.seed).fold("model").
Rbm make_model(const Plan& plan, const Shape& sample_shape, Device device);

/// Visible biases under which each visible unit alone has the mean of the samples, [v.size()]; draws of the source under `key`.
Tensor mean_bias(const Rbm& rbm, const Source& samples, Key key);
/// Writes them into the model.
void set_visible_bias(const Plan& plan, const Rbm& rbm, const Samples& train);

/// Its objective. Throws Error when the plan's `exact` is out of reach for the size of the model.
std::unique_ptr<Objective> make_objective(const Plan& plan, const Rbm& rbm);

/// Samples as the objective sees them (plan.data.scale), and as a likelihood sees them (plan.evaluate.scale). They must outlive the
/// source.
Source training_source(const Plan& plan, const Rbm& rbm, const Samples& samples);
Source evaluation_source(const Plan& plan, const Rbm& rbm, const Samples& samples);

/// Samples that stand in memory as floats where a whole set is walked through.
inline constexpr Index kChunk = 2000;

/// Samples [begin, end) of a source in one state, its draws under `key`.
State samples_between(const Source& source, Index begin, Index end, Key key);

}  // namespace basin
