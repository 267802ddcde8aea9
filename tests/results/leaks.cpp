// For builds with the leak sanitizer: HDF5 loses some memory for each damaged object it meets, fontconfig keeps its tables for ever.
// Neither is ours to free.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5\nleak:libfontconfig\n"; }
