// Windows alone: no C library, so that the addon needs none of a certain version.
#define LOCKSTEP_FINDS_NODE_API
#include "system.h"

// In Windows' own words (libloaderapi.h, heapapi.h), since its headers take longer to read than all of the kernels.
__declspec(dllimport) void *GetModuleHandleW(const unsigned short *name);
__declspec(dllimport) void *GetProcAddress(void *module, const char *name);
__declspec(dllimport) void *GetProcessHeap(void);
__declspec(dllimport) void *HeapAlloc(void *heap, unsigned long flags, size_t bytes);
__declspec(dllimport) int HeapFree(void *heap, unsigned long flags, void *memory);

int DllMainCRTStartup(void *module, unsigned long reason, void *reserved) {
  (void)module, (void)reason, (void)reserved;
  return 1;
}

#define DEFINE_FOUND(name) __typeof__(&name) found_##name;
NODE_API(DEFINE_FOUND)

bool find_node_api(void) {
  void *program = GetModuleHandleW(NULL);
  bool found = true;
#define FIND(name) found = (found_##name = (__typeof__(&name))GetProcAddress(program, #name)) && found;
  NODE_API(FIND)
  return found;
}

void *take_memory(size_t bytes) { return HeapAlloc(GetProcessHeap(), 0, bytes); }
void give_memory_back(void *memory) { HeapFree(GetProcessHeap(), 0, memory); }

// Compilers call them for loops and structures; these loops must stay loops.
__attribute__((no_builtin)) void *memset(void *to, int value, size_t bytes) {
  for (unsigned char *at = to; bytes > 0; bytes--) *at++ = (unsigned char)value;
  return to;
}
__attribute__((no_builtin)) void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
  const unsigned char *source = from;
  for (unsigned char *at = to; bytes > 0; bytes--) *at++ = *source++;
  return to;
}
