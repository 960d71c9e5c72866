// Replays the calls that record.py wrote down with another build of the kernels, and compares every bit.
//   replay LIBRARY CALLS
// Each block is a piece of the heap of its own, so that a sanitizer sees a step outside it.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

enum { MOST = 64 };  // blocks and arguments of a call
typedef int64_t Kernel(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);
typedef struct { int64_t length; const char* bytes; } Text;
typedef struct { void* place; Text before, after; int64_t compared; } Block;

static const char* here;  // what comes next in the file

static int64_t number(void) {
  int64_t value;
  memcpy(&value, here, 8);
  here += 8;
  return value;
}

static Text text(void) {
  Text found;
  found.length = number();
  found.bytes = here;
  here += (found.length + 7) / 8 * 8;
  return found;
}

static void* find(const char* library, const char* name) {
  static void* opened;
#ifdef _WIN32
  if (!opened) opened = LoadLibraryA(library);
  void* found = opened ? (void*)GetProcAddress(opened, name) : 0;
#else
  if (!opened) opened = dlopen(library, RTLD_NOW);
  void* found = opened ? dlsym(opened, name) : 0;
#endif
  if (!found) printf("%s has no %s\n", library, name), exit(2);
  return found;
}

static void read_blocks(Block* blocks, int64_t count) {
  int64_t pointers[MOST][MOST], pointing[MOST];
  for (int64_t i = 0; i < count; i++) {
    pointing[i] = number() ? number() : -1;
    for (int64_t k = 0; k < pointing[i]; k++) pointers[i][k] = number();
    blocks[i].compared = 0;
    if (pointing[i] >= 0) { blocks[i].place = malloc(pointing[i] * sizeof(void*)); continue; }
    blocks[i].before = text();
    blocks[i].compared = number();
    blocks[i].after = text();
    blocks[i].place = malloc(blocks[i].before.length);
    memcpy(blocks[i].place, blocks[i].before.bytes, blocks[i].before.length);
  }
  for (int64_t i = 0; i < count; i++)
    for (int64_t k = 0; k < pointing[i]; k++)
      ((void**)blocks[i].place)[k] = pointers[i][k] < 0 ? 0 : blocks[pointers[i][k]].place;
}

// Whether a call gave the same bits; says where not.
static int replay(const char* library) {
  Block blocks[MOST];
  int64_t arguments[10] = {0};
  Text name = text(), function = text();
  int64_t count = number();
  read_blocks(blocks, count);
  int64_t given = number();
  for (int64_t i = 0; i < given; i++) {
    int64_t points = number(), value = number();
    arguments[i] = !points ? value : value < 0 ? 0 : (int64_t)(intptr_t)blocks[value].place;
  }
  char symbol[100];
  snprintf(symbol, sizeof symbol, "%.*s", (int)function.length, function.bytes);
  const int64_t* a = arguments;
  int64_t result = ((Kernel*)find(library, symbol))(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]);
  int64_t has_result = number(), expected = number();
  int same = !has_result || result == expected;
  for (int64_t i = 0; i < count; i++) {
    if (blocks[i].compared) same &= !memcmp(blocks[i].place, blocks[i].after.bytes, blocks[i].after.length);
    free(blocks[i].place);
  }
  if (!same) printf("other bits: %.*s, %s\n", (int)name.length, name.bytes, symbol);
  return same;
}

int main(int count, char** words) {
  FILE* file = count == 3 ? fopen(words[2], "rb") : 0;
  if (!file) return puts("usage: replay LIBRARY CALLS"), 2;
  fseek(file, 0, SEEK_END);
  long length = ftell(file);
  char* contents = malloc(length);
  rewind(file);
  if (fread(contents, 1, length, file) != (size_t)length) return 2;
  here = contents;
  int64_t calls = number(), same = 0;
  for (int64_t i = 0; i < calls; i++) same += replay(words[1]);
  free(contents);
  printf("%lld of %lld calls gave the same bits\n", (long long)same, (long long)calls);
  return same != calls;
}
