// Whether a dict is still as it was.
#pragma once

#include <Python.h>

#include <cstdint>

namespace lamina::bindings {

// No two states of dicts have the same version: what was found in a dict stays there as long as that. 0: not known.
#if PY_VERSION_HEX < 0x030C0000
inline std::uint64_t version_of(PyObject* dict) { return reinterpret_cast<PyDictObject*>(dict)->ma_version_tag; }
#else
std::uint64_t version_of(PyObject* dict);
#endif

}  // namespace lamina::bindings
