"""A results file of basin as NumPy arrays in nested dictionaries, by the names in lib/results/LAYOUT.md.

    from read import read
    run = read("results/quickstart.h5")
    weights = run["stages"]["main"]["parameters"]["v.h.weight"]     # [visible, hidden]
    print(run["experiment"]["seed"], run["stages"]["main"]["metrics"]["epoch"].keys())

By itself, `python3 results/read.py FILE.h5` lists what there is. It needs h5py (Debian: python3-h5py).
"""
import sys

import h5py


def content(item):
    """A group as a dictionary, a text as str, texts as a list of them, a scalar as a number, all else as an array."""
    if isinstance(item, h5py.Group):
        return {name: content(item[name]) for name in item}
    if h5py.check_string_dtype(item.dtype):
        texts = item.asstr()[()]
        return texts if isinstance(texts, str) else list(texts)
    return item[()]


def read(path):
    with h5py.File(path, "r") as file:
        return content(file)


def show(name, value, depth=0):
    if isinstance(value, dict):
        print("  " * depth + name)
        for key in value:
            show(key, value[key], depth + 1)
    else:
        print("  " * depth + f"{name}: {getattr(value, 'shape', '') or repr(value)[:60]}")


if __name__ == "__main__":
    show(sys.argv[1], read(sys.argv[1]))
