# cmake -DOUTPUT=F -DVERSION=V -DHEADERS="a;b" -P cuda_build.cmake: the header that says which build program and libbasin_cuda are of:
# the version, and a hash of the headers through which they call each other.
set(all "")
foreach(header ${HEADERS})
  file(SHA256 ${header} hash)
  string(APPEND all ${hash})
endforeach()
string(SHA256 hash "${all}")
string(SUBSTRING ${hash} 0 12 hash)
file(WRITE ${OUTPUT}.new
     "#pragma once\n\nnamespace basin {\n\ninline constexpr const char* kCudaBuild = \"basin ${VERSION}, headers ${hash}\";\n\n}  // namespace basin\n")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
file(REMOVE ${OUTPUT}.new)
