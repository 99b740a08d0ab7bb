// What the addon needs of the operating system and of Node, so that a prebuilt one names no library but Windows' own: on the
// other systems malloc and the functions of Node-API are found in the process that loads it, whatever C library it has.
#ifndef LOCKSTEP_SYSTEM_H
#define LOCKSTEP_SYSTEM_H
#include "node-api.h"

#ifdef _WIN32
// There an import names the file that it comes from. Node's is not always called node.exe, so that its functions are looked
// up in the program itself, whatever its name is.
#define NODE_API(X)                                                                                                          \
  X(napi_throw_error) X(napi_get_cb_info) X(napi_get_value_uint32) X(napi_get_typedarray_info) X(napi_create_uint32)         \
  X(napi_create_string_utf8) X(napi_create_object) X(napi_create_array) X(napi_set_element) X(napi_set_named_property)       \
  X(napi_create_function) X(napi_create_reference) X(napi_delete_reference) X(napi_add_finalizer)
#define DECLARE_FOUND(name) extern __typeof__(&name) found_##name;
NODE_API(DECLARE_FOUND)
// @returns whether this is a program with all of them
bool find_node_api(void);
void *take_memory(size_t bytes);
void give_memory_back(void *memory);
#ifndef LOCKSTEP_FINDS_NODE_API
#define napi_throw_error found_napi_throw_error
#define napi_get_cb_info found_napi_get_cb_info
#define napi_get_value_uint32 found_napi_get_value_uint32
#define napi_get_typedarray_info found_napi_get_typedarray_info
#define napi_create_uint32 found_napi_create_uint32
#define napi_create_string_utf8 found_napi_create_string_utf8
#define napi_create_object found_napi_create_object
#define napi_create_array found_napi_create_array
#define napi_set_element found_napi_set_element
#define napi_set_named_property found_napi_set_named_property
#define napi_create_function found_napi_create_function
#define napi_create_reference found_napi_create_reference
#define napi_delete_reference found_napi_delete_reference
#define napi_add_finalizer found_napi_add_finalizer
#endif
#else
#include <stdlib.h>
static inline bool find_node_api(void) { return true; }
static inline void *take_memory(size_t bytes) { return malloc(bytes); }
static inline void give_memory_back(void *memory) { free(memory); }
#endif
#endif
