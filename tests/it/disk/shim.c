/* A disk that fails on demand. Preloaded into a server, it reads the fault from the file that ANTEROOM_TEST_DISK names,
 * which may change at any time: one native 64-bit number. Only files of the database are concerned. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOUND, FULL, WRITES_FAIL, FLUSHES_FAIL, FLUSHES_OF_DATABASE_FAIL, FLUSHES_OF_MARKER_FAIL };

static volatile int64_t *fault;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("ANTEROOM_TEST_DISK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *mapped = mmap(0, sizeof *fault, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) fault = mapped;
}

static int64_t fault_of(int file) {
  int64_t now = fault ? *fault : SOUND;
  if (now == SOUND) return SOUND;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return SOUND;
  path[length] = 0;
  const char *name = strstr(path, "anteroom.db");
  if (!name) return SOUND;
  if (now == FLUSHES_OF_DATABASE_FAIL && strcmp(name, "anteroom.db") != 0) return SOUND;
  if (now == FLUSHES_OF_MARKER_FAIL && strcmp(name, "anteroom.db.epoch") != 0) return SOUND;
  return now;
}

/* Whether a write up to this place fails; sets errno. A full disk takes what does not make the file longer. */
static int write_fails(int file, off64_t end) {
  struct stat64 now;
  switch (fault_of(file)) {
    case FULL:
      if (fstat64(file, &now) == 0 && end <= now.st_size) return 0;
      errno = ENOSPC;
      return 1;
    case WRITES_FAIL:
      errno = EIO;
      return 1;
    default:
      return 0;
  }
}

static int flush_fails(int file) {
  int64_t now = fault_of(file);
  if (now != FLUSHES_FAIL && now != FLUSHES_OF_DATABASE_FAIL && now != FLUSHES_OF_MARKER_FAIL) return 0;
  errno = EIO;
  return 1;
}

ssize_t write(int file, const void *bytes, size_t count) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = dlsym(RTLD_NEXT, "write");
  int is_faulty = fault && *fault != SOUND;
  return is_faulty && write_fails(file, lseek64(file, 0, SEEK_CUR) + (off64_t)count) ? -1 : real(file, bytes, count);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
  return write_fails(file, at + (off64_t)count) ? -1 : real(file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) { return pwrite64(file, bytes, count, at); }

int fsync(int file) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fsync");
  return flush_fails(file) ? -1 : real(file);
}

int fdatasync(int file) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  return flush_fails(file) ? -1 : real(file);
}
