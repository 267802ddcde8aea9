#pragma once

#include "data/catalog.h"

namespace basin {

CatalogEntry strokes_entry();
CatalogEntry mnist_entry();
CatalogEntry bars_and_stripes_entry();
CatalogEntry shifter_entry();
CatalogEntry sparse_signals_entry();
CatalogEntry leaves_entry();
CatalogEntry olshausen_entry();
CatalogEntry kodak_entry();
CatalogEntry images_entry();
CatalogEntry file_entry();

/// The first `wanted` samples of those there are, all when 0. Throws Error naming data set and split when
/// there are fewer.
Samples take(const Samples& samples, Index wanted, const std::string& dataset, const char* split);

}  // namespace basin
