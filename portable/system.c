/* The system, as the core asks for it: its imports (src/sys/host of the Rust source).

   Calls that can fail return a number that is not negative, or a fault: a class, which the core goes
   by, and the system's errno, which it passes on. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "system.h"

#include "kernel.h"

/* ---- errno ---- */

int system_errno(int32_t core_errno)
{
  static const int own[] = {0,     EINVAL,    ENOMEM, EMSGSIZE, ESRCH, ECONNREFUSED,
                            ETIMEDOUT, ENOENT, EAGAIN,   ENETUNREACH, EIO,  EPERM,
                            EACCES};
  if (core_errno >= 0)
    return core_errno;
  if ((size_t)-(int64_t)core_errno < sizeof own / sizeof *own)
    return own[-core_errno];
  return EIO;
}

u32 system_fault(int error)
{
  int kind = 6;
  /* EAGAIN and EWOULDBLOCK differ on some systems: no switch. */
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINPROGRESS)
    kind = 1;
  else if (error == ECONNREFUSED)
    kind = 2;
  else if (error == ENETUNREACH || error == EHOSTUNREACH || error == EAFNOSUPPORT ||
           error == EADDRNOTAVAIL)
    kind = 3;
  else if (error == ENOENT || error == ENOTDIR)
    kind = 4;
  else if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM)
    kind = 5;
  else if (error == EACCES)
    kind = 7;
  else if (error == EPERM)
    kind = 8;
  return (u32) - (kind << 16 | error);
}

u32 system_result(long result)
{
  return result >= 0 ? (u32)result : system_fault(errno);
}

/* ---- clock, chance, names ---- */

static u64 nanoseconds(clockid_t clock, clockid_t other)
{
  struct timespec now;
  if (clock_gettime(clock, &now) != 0)
    clock_gettime(other, &now);
  return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

/* Goes on while the machine is suspended, where the kernel has such a clock (Linux 2.6.39). */
#ifndef CLOCK_BOOTTIME
#define CLOCK_BOOTTIME 7
#endif

u64 SYS(clock)(sys_t *sys)
{
  (void)sys;
  return nanoseconds(CLOCK_BOOTTIME, CLOCK_MONOTONIC);
}

u64 SYS(wall_clock)(sys_t *sys)
{
  (void)sys;
  return nanoseconds(CLOCK_REALTIME, CLOCK_REALTIME);
}

static int random_from_device(uint8_t *place, size_t length)
{
  ssize_t n;
  int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return 0;
  while (length > 0) {
    RETRY(n, read(file, place, length));
    if (n <= 0)
      break;
    place += n;
    length -= (size_t)n;
  }
  close(file);
  return length == 0;
}

int system_random(void *place, size_t length)
{
  uint8_t *octets = place;
#ifdef SYS_getrandom
  long n = 0;
  while (length > 0) {
    RETRY(n, syscall(SYS_getrandom, octets, length, 0u));
    if (n <= 0)
      break;
    octets += n;
    length -= (size_t)n;
  }
#endif
  return length == 0 || random_from_device(octets, length);
}

u32 SYS(random)(sys_t *sys, u32 place, u32 length)
{
  return (u32)system_random(core_octets(sys, place, length), length);
}

/* Where the kernel has none yet (early at boot), from what it has put at random places, and the time. */
u64 SYS(seed)(sys_t *sys)
{
  uint64_t seed;
#ifdef SYS_getrandom
  if (syscall(SYS_getrandom, &seed, sizeof seed, 1u) == sizeof seed) /* GRND_NONBLOCK */
    return seed;
#endif
  seed = SYS(clock)(sys) ^ (uint64_t)(uintptr_t)&seed << 20 ^ (uint64_t)(uintptr_t)sys << 32;
  return seed * 0x9e3779b97f4a7c15u;
}

u32 SYS(process_id)(sys_t *sys)
{
  (void)sys;
  return (u32)getpid();
}

u32 SYS(thread_id)(sys_t *sys)
{
  (void)sys;
  return (u32)syscall(SYS_gettid);
}

/* ---- namespaces(7), chroot(2), capabilities(7) ---- */

/* Two threads that run at the same time have their errno in two places. */
u64 SYS(thread_place)(sys_t *sys)
{
  (void)sys;
  return (u64)(uintptr_t)&errno;
}

/* The calling thread's, by their numbers; all where the kernel doesn't say. */
static uint64_t permitted_capabilities(void)
{
#ifdef SYS_capget
  struct {
    uint32_t version;
    int thread;
  } header = {0x20080522, 0};
  struct {
    uint32_t effective, permitted, inheritable;
  } sets[2];
  if (syscall(SYS_capget, &header, sets) == 0)
    return (uint64_t)sets[1].permitted << 32 | sets[0].permitted;
#endif
  return UINT64_MAX;
}

/* What the calling thread can leave: 0 nothing, 1 its root, 2 its network namespace as well. */
u32 SYS(freedom)(sys_t *sys)
{
  uint64_t permitted = permitted_capabilities();
  (void)sys;
  if (permitted >> 21 & 1) /* CAP_SYS_ADMIN */
    return 2;
  return permitted >> 18 & 1; /* CAP_SYS_CHROOT */
}

u32 SYS(may_give_up_rights)(sys_t *sys)
{
  (void)sys;
  return permitted_capabilities() != 0;
}

/* Its file in /proc has the number that readlink(2) would show. */
u64 SYS(network_number)(sys_t *sys)
{
  struct stat status;
  (void)sys;
  return stat("/proc/thread-self/ns/net", &status) == 0 ? (u64)status.st_ino : 0;
}

/* The network namespace of a socket is its thread's; the cookie is no other one's (Linux 5.14). */
u32 SYS(network_namespace)(sys_t *sys, u32 place)
{
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
  uint64_t number = 0;
  socklen_t length = sizeof number;
  int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), result;
  if (file < 0 && errno == EAFNOSUPPORT)
    file = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  result = file < 0 ? -1 : getsockopt(file, SOL_SOCKET, SO_NETNS_COOKIE, &number, &length);
  if (file >= 0)
    close(file);
  if (result != 0 && (number = SYS(network_number)(sys)) == 0)
    return 0;
  memcpy(core_octets(sys, place, sizeof number), &number, sizeof number);
  return result == 0 ? 1 : 2;
}

/* A mount is in one mount namespace only. */
u32 SYS(root_directory)(sys_t *sys, u32 place)
{
  struct stat status;
  uint64_t numbers[3] = {0, 0, 0};
#ifdef SYS_statx
  /* struct statx: 256 octets, which are the same on every architecture. */
  union {
    uint8_t octets[256];
    uint64_t aligned[32];
  } found;
  uint32_t mask = 0, device[2];
  /* STATX_INO, STATX_MNT_ID, STATX_MNT_ID_UNIQUE; AT_STATX_DONT_SYNC */
  if (syscall(SYS_statx, AT_FDCWD, "/", 0x4000, 0x5100u, &found) == 0)
    memcpy(&mask, found.octets, sizeof mask);
  if (mask & 0x5000) {
    memcpy(device, found.octets + 136, sizeof device);
    memcpy(&numbers[0], found.octets + 144, sizeof numbers[0]);
    numbers[1] = (uint64_t)device[0] << 32 | device[1];
    memcpy(&numbers[2], found.octets + 32, sizeof numbers[2]);
    memcpy(core_octets(sys, place, sizeof numbers), numbers, sizeof numbers);
    return 1;
  }
#endif
  if (stat("/proc/thread-self/ns/mnt", &status) == 0)
    numbers[0] = status.st_ino;
  if (stat("/", &status) != 0)
    return 0;
  numbers[1] = status.st_dev;
  numbers[2] = status.st_ino;
  memcpy(core_octets(sys, place, sizeof numbers), numbers, sizeof numbers);
  return 1;
}

u32 SYS(host_name)(sys_t *sys, u32 place, u32 room)
{
  char *name = (char *)core_octets(sys, place, room);
  return gethostname(name, room) == 0 ? (u32)text_length(name, room) : 0;
}

u32 SYS(variable)(sys_t *sys, u32 name, u32 name_length, u32 place, u32 room)
{
  return (u32)environment_copy((char *)core_octets(sys, name, name_length), name_length,
                               core_octets(sys, place, room), room);
}

/* ---- files ---- */

/* A path of the core's as a string; null where it is too long for one. */
static char *path_of(sys_t *sys, u32 path, u32 length, char buffer[4096])
{
  const uint8_t *octets = core_octets(sys, path, length);
  if (length >= 4096) {
    errno = ENAMETOOLONG;
    return NULL;
  }
  memcpy(buffer, octets, length);
  buffer[length] = '\0';
  return buffer;
}

static void tell_identity(sys_t *sys, u32 place, const struct stat *status)
{
  uint64_t numbers[7];
  numbers[0] = status->st_dev;
  numbers[1] = status->st_ino;
  numbers[2] = (uint64_t)status->st_size;
  numbers[3] = (uint64_t)status->st_mtim.tv_sec;
  numbers[4] = (uint64_t)status->st_mtim.tv_nsec;
  numbers[5] = (uint64_t)status->st_ctim.tv_sec;
  numbers[6] = (uint64_t)status->st_ctim.tv_nsec;
  memcpy(core_octets(sys, place, sizeof numbers), numbers, sizeof numbers);
}

uint64_t system_known_by(int descriptor)
{
  struct stat status;
#ifdef SO_COOKIE
  uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  if (getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0)
    return cookie;
#endif
  if (fstat(descriptor, &status) != 0)
    return 0;
  /* No cookie has the first bit. */
  return (uint64_t)1 << 63 | (((uint64_t)status.st_dev << 40) ^ (uint64_t)status.st_ino);
}

/* The instance's own list of what it has open, for when it is thrown away. */
u32 system_opened(sys_t *sys, int descriptor)
{
  if (descriptor < 0)
    return system_fault(errno);
  if (sys->open_count == MAX_OPEN) {
    close(descriptor);
    return system_fault(EMFILE);
  }
  sys->known_by[sys->open_count] = system_known_by(descriptor);
  sys->open[sys->open_count++] = descriptor;
  return (u32)descriptor;
}

void SYS(close)(sys_t *sys, u32 descriptor)
{
  int i;
  for (i = 0; i < sys->open_count; i++)
    if (sys->open[i] == (int)descriptor) {
      sys->open[i] = sys->open[--sys->open_count];
      sys->known_by[i] = sys->known_by[sys->open_count];
      close((int)descriptor); /* not again after EINTR: Linux has released it by then */
      return;
    }
}

u32 SYS(file_identity)(sys_t *sys, u32 path, u32 length, u32 numbers)
{
  char buffer[4096], *name = path_of(sys, path, length, buffer);
  struct stat status;
  int result;
  if (name == NULL)
    return system_fault(errno);
  RETRY(result, stat(name, &status));
  if (result == 0)
    tell_identity(sys, numbers, &status);
  return system_result(result);
}

u32 SYS(file_open)(sys_t *sys, u32 path, u32 length, u32 numbers)
{
  char buffer[4096], *name = path_of(sys, path, length, buffer);
  struct stat status;
  int file, error;
  if (name == NULL)
    return system_fault(errno);
  /* Never blocks, not even on a pipe without a writer. */
  RETRY(file, open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file < 0)
    return system_fault(errno);
  if (fstat(file, &status) != 0) {
    error = errno;
    close(file);
    return system_fault(error);
  }
  if (!S_ISREG(status.st_mode)) {
    close(file);
    return (u32)INT32_MIN;
  }
  tell_identity(sys, numbers, &status);
  return system_opened(sys, file);
}

u32 SYS(file_read)(sys_t *sys, u32 file, u32 place, u32 room)
{
  ssize_t n;
  uint8_t *octets = core_octets(sys, place, room);
  RETRY(n, read((int)file, octets, room < INT32_MAX ? room : INT32_MAX));
  return system_result(n);
}
