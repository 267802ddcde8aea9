#pragma once

// Highway compiles each vector file once per instruction set (AVX2 and AVX-512) and picks one when the
// program runs. Its AVX2 is taken as the baseline only with AES and carry-less products, which
// -march=x86-64-v3 leaves out and no kernel here uses; this macro says so. To be included before
// <hwy/foreach_target.h>.
#ifndef HWY_DISABLE_PCLMUL_AES
#define HWY_DISABLE_PCLMUL_AES
#endif
