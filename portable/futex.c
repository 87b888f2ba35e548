/* Waiting for another thread by futex(2): without a lock that a handler's siglongjmp(3) could leave
   locked, and told of signal handlers that have run, as condition variables are not. */

#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "portable.h"

#include "kernel.h"

struct timespec time_after(time_t seconds, long nanoseconds)
{
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec = seconds < INT_MAX ? at.tv_sec + seconds : INT_MAX;
  at.tv_nsec += nanoseconds;
  if (at.tv_nsec >= 1000000000) {
    at.tv_nsec -= 1000000000;
    at.tv_sec++;
  }
  return at;
}

int futex_wait(const int *word, int seen, const struct timespec *limit)
{
  /* The kernel's first futex call takes words of its own, whatever time_t is. */
  struct { long seconds, nanoseconds; } time;
  long result;
  if (limit != NULL) {
    time.seconds = (long)limit->tv_sec;
    time.nanoseconds = limit->tv_nsec;
  }
  result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen,
                   limit == NULL ? NULL : &time, NULL, FUTEX_BITSET_MATCH_ANY);
  return result == 0 || errno == EAGAIN ? 0 : errno;
}

void futex_tell(int *word)
{
  __atomic_add_fetch(word, 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, NULL, NULL, 0);
}
