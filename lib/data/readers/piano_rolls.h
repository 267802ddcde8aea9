#pragma once

#include <string>

#include "data/dataset.h"
#include "data/import_limit.h"

namespace basin {

/// The keys of a piano, MIDI notes 21 .. 108.
inline constexpr Index kPianoKeys = 88;
inline constexpr Index kLowestNote = 21;

/// Polyphonic music: which keys of a piano sound at each step of time.
///
/// The file is JSON, also packed by gzip: {"train": S, "valid": S, "test": S}, S a list of sequences, a
/// sequence a list of frames, a frame the list of the notes that sound, 21 .. 108; an empty frame is a rest.
/// Samples are whole sequences: "roll", bytes [T, 88], 255 (as pixels: 1) where note - 21 sounds, with zeros
/// behind the end, T the frames of the longest sequence of all parts; "lengths", the frames of each. Who is
/// to foretell frame t from those before it shifts the roll by itself.
///
/// Throws Error, with the line and column, for anything but that: other keys, parts that are missing or
/// there twice, notes that are none, sequences without frames. Nothing is parsed deeper than the format goes.
/// Reference: Boulanger-Lewandowski, Bengio and Vincent 2012, "Modeling temporal dependencies in
/// high-dimensional sequences".
Dataset read_piano_rolls(const std::string& path, const ImportLimit& limit = ImportLimit());

}  // namespace basin
