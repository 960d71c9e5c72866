/* Loaded before the C library: the call that FAIL names ("write", "fsync", "rename" or "link") fails when it comes for
   the FAIL_AT-th time to a file other than the standard ones, with the error FAIL_ERRNO, and so do all after it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

static int fails(const char* call, int file) {
  static int count;
  const char *which = getenv("FAIL"), *at = getenv("FAIL_AT"), *error = getenv("FAIL_ERRNO");
  struct stat status;
  if (!which || !at || !error || strcmp(which, call) || file == 1 || file == 2) return 0;
  if (file >= 0 && (fstat(file, &status) || (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)))) return 0;
  if (++count < atoi(at)) return 0;
  errno = atoi(error);
  return 1;
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void* data, size_t count) {
  return fails("write", file) ? -1 : REAL(write, ssize_t(*)(int, const void*, size_t))(file, data, count);
}
ssize_t pwrite64(int file, const void* data, size_t count, off64_t at) {
  return fails("write", file) ? -1 : REAL(pwrite64, ssize_t(*)(int, const void*, size_t, off64_t))(file, data, count, at);
}
int fsync(int file) { return fails("fsync", file) ? -1 : REAL(fsync, int (*)(int))(file); }
int rename(const char* from, const char* to) {
  return fails("rename", -1) ? -1 : REAL(rename, int (*)(const char*, const char*))(from, to);
}
int renameat(int a, const char* from, int b, const char* to) {
  return fails("rename", -1) ? -1 : REAL(renameat, int (*)(int, const char*, int, const char*))(a, from, b, to);
}
int linkat(int a, const char* from, int b, const char* to, int flags) {
  return fails("link", -1) ? -1 : REAL(linkat, int (*)(int, const char*, int, const char*, int))(a, from, b, to, flags);
}
