// The kernels as a Node-API addon: `variants`, the instruction sets that this processor has, best first, and
// `bind(bytes, variant)`, an object with the functions of kernels.wasm that works in place on the memory behind `bytes`.
//
// A shared WebAssembly memory never moves when it grows, so the address that `bind` finds stays right.
#include "processor.h"
#include "rounding.h"
#include "system.h"
#include "variant.h"

#if defined(__x86_64__)
extern const variant variant_avx512, variant_avx2, variant_sse;
#else
extern const variant variant_neon;
#endif

// What the functions of one `bind` have in common.
typedef struct {
  const variant *kernels;
  uintptr_t memory;
  napi_ref bytes; // keeps the memory alive
} binding;

// The n-th best variant that this processor can run, or none.
static const variant *variant_at(uint32_t n) {
#if defined(__x86_64__)
  const variant *const all[] = {&variant_avx512, &variant_avx2, &variant_sse};
  const bool has[] = {has_avx512(), has_avx2(), true};
#else
  const variant *const all[] = {&variant_neon};
  const bool has[] = {true};
#endif
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (has[i] && n-- == 0) return all[i];
  }
  return NULL;
}

#define ARGUMENTS_MAX 6

// Reads numbers behind the first `skip` arguments. @returns the binding behind the function, or none after throwing
static binding *arguments(napi_env env, napi_callback_info info, uint32_t *number, size_t count) {
  napi_value value[ARGUMENTS_MAX];
  size_t given = ARGUMENTS_MAX;
  void *data = NULL;
  bool fine = napi_get_cb_info(env, info, &given, value, NULL, &data) == napi_ok && given == count;
  for (size_t i = 0; fine && i < count; i++) fine = napi_get_value_uint32(env, value[i], &number[i]) == napi_ok;
  if (fine) return data;
  napi_throw_error(env, NULL, "the kernels take numbers, as many as program.h says");
  return NULL;
}

static napi_value call_run_program(napi_env env, napi_callback_info info) {
  uint32_t a[6];
  const binding *b = arguments(env, info, a, 6);
  if (!b) return NULL;
  float_mode found = read_float_mode();
  write_float_mode(IEEE_FLOAT_MODE);
  b->kernels->run_program(b->memory, a[1], (int)a[2], (int)a[3], a[4], a[5]);
  write_float_mode(found);
  return NULL;
}

static napi_value call_run_loop(napi_env env, napi_callback_info info) {
  uint32_t a[2];
  const binding *b = arguments(env, info, a, 2);
  if (!b) return NULL;
  float_mode found = read_float_mode();
  write_float_mode(IEEE_FLOAT_MODE);
  b->kernels->run_loop(b->memory, a[1]);
  write_float_mode(found);
  return NULL;
}

static napi_value call_add(napi_env env, napi_callback_info info) {
  uint32_t a[4];
  const binding *b = arguments(env, info, a, 4);
  if (!b) return NULL;
  float_mode found = read_float_mode();
  write_float_mode(IEEE_FLOAT_MODE);
  b->kernels->add(b->memory, a[1], a[2], (int)a[3]);
  write_float_mode(found);
  return NULL;
}

static napi_value call_code(napi_env env, napi_callback_info info) {
  uint32_t a[2];
  const binding *b = arguments(env, info, a, 2);
  if (!b) return NULL;
  float_mode found = read_float_mode();
  write_float_mode(IEEE_FLOAT_MODE);
  b->kernels->code(b->memory, a[1]);
  write_float_mode(found);
  return NULL;
}

static napi_value call_lane_count(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  const binding *b = arguments(env, info, NULL, 0);
  if (b) napi_create_uint32(env, (uint32_t)b->kernels->lane_count(), &result);
  return result;
}

static void unbind(napi_env env, void *data, void *hint) {
  (void)hint;
  napi_delete_reference(env, ((binding *)data)->bytes);
  give_memory_back(data);
}

static bool set_function(napi_env env, napi_value object, const char *name, napi_callback callback, void *data) {
  napi_value function;
  return napi_create_function(env, name, (size_t)-1, callback, data, &function) == napi_ok &&
         napi_set_named_property(env, object, name, function) == napi_ok;
}

// bind(bytes: Uint8Array from address 0 on, variant: index into `variants`)
static napi_value call_bind(napi_env env, napi_callback_info info) {
  napi_value value[2], object;
  size_t given = 2;
  uint32_t n = 0;
  void *memory = NULL;
  if (napi_get_cb_info(env, info, &given, value, NULL, NULL) != napi_ok || given != 2 ||
      napi_get_typedarray_info(env, value[0], NULL, NULL, &memory, NULL, NULL) != napi_ok || !memory ||
      napi_get_value_uint32(env, value[1], &n) != napi_ok || !variant_at(n)) {
    napi_throw_error(env, NULL, "bind takes a typed array and the number of a variant");
    return NULL;
  }
  binding *b = take_memory(sizeof *b);
  if (b) *b = (binding){variant_at(n), (uintptr_t)memory, NULL};
  if (!b || napi_create_object(env, &object) != napi_ok || napi_create_reference(env, value[0], 1, &b->bytes) != napi_ok ||
      napi_add_finalizer(env, object, b, unbind, NULL, NULL) != napi_ok || !set_function(env, object, "run_program", call_run_program, b) ||
      !set_function(env, object, "run_loop", call_run_loop, b) || !set_function(env, object, "add", call_add, b) ||
      !set_function(env, object, "code", call_code, b) ||
      !set_function(env, object, "lane_count", call_lane_count, b)) {
    napi_throw_error(env, NULL, "bind found no memory");
    return NULL;
  }
  return object;
}

static napi_value list_variants(napi_env env) {
  napi_value list, name;
  if (napi_create_array(env, &list) != napi_ok) return NULL;
  for (uint32_t n = 0; variant_at(n); n++) {
    if (napi_create_string_utf8(env, variant_at(n)->name, (size_t)-1, &name) != napi_ok || napi_set_element(env, list, n, name) != napi_ok)
      return NULL;
  }
  return list;
}

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

EXPORT int32_t node_api_module_get_api_version_v1(void) { return 6; }

EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  if (!find_node_api()) return NULL;
  napi_value variants = list_variants(env);
  if (!variants || napi_set_named_property(env, exports, "variants", variants) != napi_ok ||
      !set_function(env, exports, "bind", call_bind, NULL))
    napi_throw_error(env, NULL, "the addon found no memory");
  return exports;
}
