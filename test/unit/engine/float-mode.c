// An addon that does what kernels have to live with: it changes the processor's floating-point mode and leaves it so.
#include "node-api.h"
#include "rounding.h"

#if defined(__x86_64__)
#define ODD_MODE (IEEE_FLOAT_MODE | 0x6000u | 0x8040u) // towards zero; flush to zero, denormals are zero
#else
#define ODD_MODE (IEEE_FLOAT_MODE | 0xC00000u | 0x1000000u)
#endif

static napi_value set_odd_mode(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  write_float_mode(ODD_MODE);
  return NULL;
}

// 1 if it is the odd one still, else 0. Back to the usual one.
static napi_value restore_mode(napi_env env, napi_callback_info info) {
  (void)info;
  float_mode kept = read_float_mode() & ~(float_mode)0x3F; // x86 collects exceptions in the lowest bits
  write_float_mode(IEEE_FLOAT_MODE);
  napi_value result;
  napi_create_uint32(env, kept == ODD_MODE, &result);
  return result;
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "setOddMode", (size_t)-1, set_odd_mode, NULL, &function);
  napi_set_named_property(env, exports, "setOddMode", function);
  napi_create_function(env, "restoreMode", (size_t)-1, restore_mode, NULL, &function);
  napi_set_named_property(env, exports, "restoreMode", function);
  return exports;
}
