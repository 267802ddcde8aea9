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
CatalogEntry text_entry();
CatalogEntry shakespeare_entry();
CatalogEntry jsb_entry();
CatalogEntry nottingham_entry();
CatalogEntry piano_midi_entry();
CatalogEntry adding_entry();
CatalogEntry copy_memory_entry();
CatalogEntry temporal_order_entry();
CatalogEntry strings_entry();
CatalogEntry parity_entry();
CatalogEntry parabola_entry();
CatalogEntry spiral_entry();
CatalogEntry mixture_entry();
CatalogEntry pinwheel_entry();
CatalogEntry identity_entry();
CatalogEntry cifar10_entry();
CatalogEntry cifar100_entry();
CatalogEntry usps_entry();
CatalogEntry rectangles_entry();
CatalogEntry rectangle_images_entry();
CatalogEntry convex_entry();
CatalogEntry basic_digits_entry();
CatalogEntry rotated_digits_entry();
CatalogEntry noise_digits_entry();
CatalogEntry image_digits_entry();
CatalogEntry rotated_image_digits_entry();

/// The first `wanted` samples of those there are, all when 0. Throws Error naming data set and split when
/// there are fewer.
Samples take(const Samples& samples, Index wanted, const std::string& dataset, const char* split);

}  // namespace basin
