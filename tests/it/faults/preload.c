/* Faults that cannot be caused from outside a process. Preloaded into a node, it reads two signed 64-bit numbers from
 * the file named by ANTEROOM_TEST_FAULTS, which may change at any time:
 *
 *   1. nanoseconds to add to the wall clock. The monotonic clock is left alone, as it is when NTP sets the time;
 *   2. the fault of the disk that holds the database: 0 none, 1 full (what would extend a file fails with ENOSPC),
 *      2 writes fail with EIO, 3 flushes fail with EIO.
 */
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
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { NONE, FULL, WRITES_FAIL, FLUSHES_FAIL };

static volatile int64_t *faults;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("ANTEROOM_TEST_FAULTS");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *mapped = mmap(0, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) faults = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = REAL(clock_gettime);
  int result = real(clock, now);
  if (result == 0 && clock == CLOCK_REALTIME && faults) {
    int64_t shifted = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + faults[0];
    now->tv_sec = shifted / 1000000000;
    now->tv_nsec = shifted % 1000000000;
  }
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec precise;
  int result = clock_gettime(CLOCK_REALTIME, &precise);
  if (result == 0) {
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
  }
  return result;
}

time_t time(time_t *seconds) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (seconds) *seconds = now.tv_sec;
  return now.tv_sec;
}

/* The fault of the disk, if the file is part of the database. */
static int64_t disk(int file) {
  int64_t fault = faults ? faults[1] : NONE;
  if (fault == NONE) return NONE;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return NONE;
  path[length] = 0;
  return strstr(path, "anteroom.db") ? fault : NONE;
}

/* Whether a write is to fail; sets errno. */
static int fails(int file, off64_t end) {
  struct stat64 now;
  switch (disk(file)) {
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

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (!real) real = REAL(pwrite64);
  return fails(file, at + (off64_t)count) ? -1 : real(file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) { return pwrite64(file, bytes, count, at); }

ssize_t write(int file, const void *bytes, size_t count) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = REAL(write);
  if (faults && faults[1] && fails(file, lseek64(file, 0, SEEK_CUR) + (off64_t)count)) return -1;
  return real(file, bytes, count);
}

int ftruncate64(int file, off64_t length) {
  static int (*real)(int, off64_t);
  if (!real) real = REAL(ftruncate64);
  return fails(file, length) ? -1 : real(file, length);
}

int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

static int flush(int file, int (*real)(int)) {
  if (disk(file) != FLUSHES_FAIL) return real(file);
  errno = EIO;
  return -1;
}

int fsync(int file) {
  static int (*real)(int);
  if (!real) real = REAL(fsync);
  return flush(file, real);
}

int fdatasync(int file) {
  static int (*real)(int);
  if (!real) real = REAL(fdatasync);
  return flush(file, real);
}
