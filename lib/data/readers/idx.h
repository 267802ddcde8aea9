#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/import_limit.h"
#include "tensor/shape.h"

namespace basin {

/// An array of bytes read from an IDX file.
struct IdxArray {
  Shape shape;
  std::vector<std::uint8_t> bytes;  // row-major
};

/// Reads an IDX file of unsigned bytes with `rank` dimensions (0: as many as it has), plain or compressed by
/// gzip (told apart by their first bytes).
///
/// Layout: 00 00 08 rank, then `rank` big-endian 32-bit extents, then the bytes and nothing after them. The
/// header is checked against the length of the file (for gzip: against the length its trailer states and what
/// deflate can hold at most) and against `limit` before any memory is taken; a compressed file is inflated in
/// pieces into the one copy that is returned, and its checksum is verified.
/// Throws Error, naming the file and what is wrong, for anything else: truncated, trailing bytes, a header
/// that lies, damaged data. Reference: LeCun, Cortes, Burges, "The MNIST database of handwritten digits",
/// file formats; RFC 1952 (gzip).
IdxArray read_idx(const std::string& path, Index rank, const ImportLimit& limit = ImportLimit());

}  // namespace basin
