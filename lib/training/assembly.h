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

/// Visible biases under which each visible unit alone has the mean of the first 10,000 training samples.
void set_visible_bias(const Plan& plan, const Rbm& rbm, const Samples& train);

/// Its objective. Throws Error when the plan's `exact` is out of reach for the size of the model.
std::unique_ptr<Objective> make_objective(const Plan& plan, const Rbm& rbm);

/// Samples as the objective sees them (plan.data.scale), and as a likelihood sees them (plan.evaluate.scale).
Source training_source(const Plan& plan, const Rbm& rbm, const Samples& samples);
Source evaluation_source(const Plan& plan, const Rbm& rbm, const Samples& samples);

/// The first n samples of a source in one state, its draws under `key`.
State head(const Source& source, Index n, Key key);

}  // namespace basin
