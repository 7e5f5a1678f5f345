// Rows of the registry: what vmap (autograd/batching.py) is made of.
#include <vector>

#include "autograd/gradients.h"
#include "bindings/registry.h"
#include "engine/examples.h"
#include "functions/batching.h"

namespace lamina::bindings {

// randomness: as engine::Randomness; of how many examples it is one.
LAMINA_FUNCTION(kModule, _begin_example, "randomness, examples") {
  engine::begin_example(static_cast<engine::Randomness>(a.integer(0)), a.integer(1));
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, _end_example, "") {
  engine::end_example();
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, _example_of, "batch") { return wrap(functions::example_of(a.tensor(0))); }
LAMINA_FUNCTION(kModule, _is_example, "tensor") { return PyBool_FromLong(a.tensor(0)->has(kPerExample)); }

// A list with None for what is the same for all examples.
LAMINA_FUNCTION(kModule, _batched, "outputs, examples, batches") {
  std::vector<ValuePtr> results = functions::batched(a.tensors(0), a.tensors(1), a.tensors(2));
  Object list(checked(PyList_New(static_cast<Py_ssize_t>(results.size()))));
  for (std::size_t i = 0; i < results.size(); ++i) {
    PyObject* item = results[i] ? wrap(results[i]) : Object::borrowed(Py_None).release();
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), item);
  }
  return list.release();
}

LAMINA_FUNCTION(kModule, _depends_on_others, "tensors, leaves") {
  std::vector<ValuePtr> tensors = a.tensors(0), leaves = a.tensors(1);
  std::vector<Value*> roots, known;
  for (const ValuePtr& tensor : tensors) roots.push_back(tensor.get());
  for (const ValuePtr& leaf : leaves) known.push_back(leaf.get());
  return PyBool_FromLong(depends_on_others(roots, known));
}

}  // namespace lamina::bindings
