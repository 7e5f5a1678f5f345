// Since Python 3.12 dicts tell who watches them that they are about to change; before that each had a version itself.
// Tests: tests/python/test_nn_attributes_and_calls.py.
#include "bindings/dict_version.h"

#if PY_VERSION_HEX >= 0x030C0000

#include "bindings/two_way_table.h"

namespace lamina::bindings {

namespace {

// The dicts of a thousand layers find room. A dict that had to go is watched further, and gets a new version when it is
// next asked for.
struct Watched {
  PyObject* dict = nullptr;  // borrowed: its end is a change, too
  std::uint64_t version = 0;
};
TwoWayTable<14, Watched> g_watched;

auto is(PyObject* dict) {
  return [dict](const Watched& one) { return one.dict == dict; };
}

int forget(PyDict_WatchEvent, PyObject* dict, PyObject*, PyObject*) {
  if (Watched* known = g_watched.find(reinterpret_cast<std::uintptr_t>(dict), 0, is(dict))) *known = {};
  return 0;
}

}  // namespace

std::uint64_t version_of(PyObject* dict) {
#if PY_VERSION_HEX >= 0x030D0000
  if (reinterpret_cast<PyDictObject*>(dict)->ma_values) return 0;  // within an object that changes them without a word
#endif
  static const int watcher = PyDict_AddWatcher(forget);
  static std::uint64_t last = 0;
  Watched& known = g_watched.find_or_replace(reinterpret_cast<std::uintptr_t>(dict), 0, is(dict));
  if (known.dict == dict) return known.version;
  if (watcher < 0 || PyDict_Watch(watcher, dict) < 0) {  // there are only eight watchers
    PyErr_Clear();
    return 0;
  }
  known = {dict, ++last};
  return last;
}

}  // namespace lamina::bindings

#endif
