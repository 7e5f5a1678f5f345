// The Generator type, and the default one's seed and state.
#include "bindings/generator.h"

#include <cstring>
#include <random>

#include "bindings/devices.h"
#include "bindings/registry.h"
#include "bindings/scalars.h"
#include "engine/flush.h"
#include "ops/build.h"
#include "runtime/buffer.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

struct GeneratorObject {
  PyObject_HEAD engine::Generator own;
  bool is_default;
};
PyTypeObject* g_generator_type = nullptr;

engine::Generator& of(PyObject* self) {
  auto* object = reinterpret_cast<GeneratorObject*>(self);
  return object->is_default ? engine::default_generator() : object->own;
}

std::uint64_t seed_from(PyObject* number) {
  Object whole(checked(PyNumber_Index(number)));
  std::uint64_t seed = PyLong_AsUnsignedLongLongMask(whole.get());
  if (PyErr_Occurred()) throw PythonError{};
  return seed;
}

// PyTorch starts a Generator from this seed, so that it is reproducible without one.
constexpr std::uint64_t kFirstSeed = 67280421310721ull;

// Generator(device="cpu"): there is no other.
PyObject* generator_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* const kNames[] = {"device", nullptr};
  PyObject* device = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Generator", const_cast<char**>(kNames), &device)) return nullptr;
  if (device) {
    Object text(PyObject_Str(device));
    const char* name = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
    if (!name) return nullptr;
    if (std::strncmp(name, "cpu", 3) != 0)
      return PyErr_Format(PyExc_RuntimeError, "Generator: lamina computes on the CPU only, got device '%s'", name);
  }
  auto* object = reinterpret_cast<GeneratorObject*>(type->tp_alloc(type, 0));
  if (object) object->own.reseed(kFirstSeed);
  return reinterpret_cast<PyObject*>(object);
}
PyObject* generator_manual_seed(PyObject* self, PyObject* seed) {
  return guarded([&] {
    of(self).reseed(seed_from(seed));
    return Object::borrowed(self).release();
  });
}
PyObject* generator_seed(PyObject* self, PyObject*) {
  return guarded([&] {
    std::random_device entropy;
    of(self).reseed(static_cast<std::uint64_t>(entropy()) << 32 | entropy());
    return PyLong_FromUnsignedLongLong(of(self).seed);
  });
}
PyObject* generator_initial_seed(PyObject* self, PyObject*) { return PyLong_FromUnsignedLongLong(of(self).seed); }

// The state: seed and position as a uint8 tensor of 16 bytes.
PyObject* state_of(const engine::Generator& generator) {
  StoragePtr storage = runtime::allocate(16);
  std::memcpy(storage->data, &generator.seed, 8);
  std::memcpy(static_cast<std::byte*>(storage->data) + 8, &generator.position, 8);
  return wrap(make_leaf(std::move(storage), Shape::of({16}), DType::kUInt8));
}
void set_state(engine::Generator& generator, PyObject* state) {
  if (!is_tensor(state)) fail(ErrorKind::kType, "RNG state must be a tensor, got ", printed_type(state));
  ValuePtr value = value_of(state);
  check(value->dtype == DType::kUInt8 && value->shape == Shape::of({16}),
        "RNG state must be a uint8 tensor of 16 elements, as get_rng_state() gives it; got ", name_of(value->dtype),
        " ", to_string(value->shape->dims()));
  value = build::clone(value);
  engine::realize(value.get());
  std::memcpy(&generator.seed, engine::data_of(value.get()), 8);
  std::memcpy(&generator.position, engine::data_of(value.get()) + 8, 8);
}
PyObject* generator_get_state(PyObject* self, PyObject*) {
  return guarded([&] { return state_of(of(self)); });
}
PyObject* generator_set_state(PyObject* self, PyObject* state) {
  return guarded([&] {
    set_state(of(self), state);
    return Object::borrowed(self).release();
  });
}

PyObject* generator_device(PyObject*, void*) {
  return guarded([] { return Py_NewRef(device_object(Device::kCpu)); });
}
PyObject* generator_reduce(PyObject* self, PyObject*) {
  return guarded([&] {
    Object state(state_of(of(self)));
    return checked(Py_BuildValue("O(O)O", Py_TYPE(self), device_object(Device::kCpu), state.get()));
  });
}

PyObject* represent(PyObject* self) {
  return PyUnicode_FromFormat("<%s._C.Generator object at %p>", kPrintedPackage, self);
}

PyMethodDef g_methods[] = {
    {"manual_seed", generator_manual_seed, METH_O, "Starts the stream of this seed."},
    {"seed", generator_seed, METH_NOARGS, "Starts a stream of the system's entropy; returns the seed."},
    {"initial_seed", generator_initial_seed, METH_NOARGS, "The seed."},
    {"get_state", generator_get_state, METH_NOARGS, "Seed and position, as a uint8 tensor."},
    {"set_state", generator_set_state, METH_O, "Goes to a state that get_state gave."},
    {"__reduce__", generator_reduce, METH_NOARGS, nullptr},
    {"__setstate__", generator_set_state, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef g_properties[] = {{"device", generator_device, nullptr, "Where it draws: the CPU.", nullptr},
                              {nullptr, nullptr, nullptr, nullptr, nullptr}};

}  // namespace

void bind_generator(PyObject* module) {
  static PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(generator_new)},
                                {Py_tp_repr, reinterpret_cast<void*>(represent)},
                                {Py_tp_methods, g_methods},
                                {Py_tp_getset, g_properties},
                                {0, nullptr}};
  static PyType_Spec spec{"lamina.Generator", sizeof(GeneratorObject), 0, Py_TPFLAGS_DEFAULT, slots};
  g_generator_type = make_type(spec);
  checked(PyModule_AddObjectRef(module, "Generator", reinterpret_cast<PyObject*>(g_generator_type)));
  const Object no_arguments(checked(PyTuple_New(0)));
  Object standard(checked(generator_new(g_generator_type, no_arguments.get(), nullptr)));
  reinterpret_cast<GeneratorObject*>(standard.get())->is_default = true;
  checked(PyModule_AddObjectRef(module, "default_generator", standard.get()));
}

engine::Generator& generator_from(PyObject* object) {
  if (Py_TYPE(object) != g_generator_type) fail(ErrorKind::kType, "expected a Generator, got ", printed_type(object));
  return of(object);
}

LAMINA_FUNCTION(kModule, manual_seed, "seed") {
  engine::default_generator().reseed(seed_from(a.object(0)));
  Object module(checked(PyImport_ImportModule("lamina._core")));
  return checked(PyObject_GetAttrString(module.get(), "default_generator"));
}
LAMINA_FUNCTION(kModule, initial_seed, "") { return PyLong_FromUnsignedLongLong(engine::default_generator().seed); }
LAMINA_FUNCTION(kModule, get_rng_state, "") { return state_of(engine::default_generator()); }
LAMINA_FUNCTION(kModule, set_rng_state, "new_state") {
  set_state(engine::default_generator(), a.object(0));
  Py_RETURN_NONE;
}

}  // namespace lamina::bindings
