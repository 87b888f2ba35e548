/* The system, as the core asks for it: its imports (src/sys/host of the Rust source).

   Calls that can fail return a number that is not negative, or a fault: a class, which the core goes
   by, and the system's errno, which it passes on. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "system.h"

/* ---- errno ---- */

int system_errno(int32_t core_errno)
{
  static const int own[] = {0,     EINVAL,    ENOMEM, EMSGSIZE, ESRCH, ECONNREFUSED,
                            ETIMEDOUT, ENOENT, EAGAIN,   ENETUNREACH, EIO,  EPERM};
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
  return (u32) - (kind << 16 | error);
}

u32 system_result(long result)
{
  return result >= 0 ? (u32)result : system_fault(errno);
}

/* ---- clock, chance, names ---- */

u64 SYS(clock)(sys_t *sys)
{
  struct timespec now;
  (void)sys;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
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

u32 SYS(process_id)(sys_t *sys)
{
  (void)sys;
  return (u32)getpid();
}

u32 SYS(host_name)(sys_t *sys, u32 place, u32 room)
{
  char *name = (char *)core_octets(sys, place, room);
  return gethostname(name, room) == 0 ? (u32)strnlen(name, room) : 0;
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

/* The instance's own list of what it has open, for when it is thrown away. */
u32 system_opened(sys_t *sys, int descriptor)
{
  if (descriptor < 0)
    return system_fault(errno);
  if (sys->open_count == MAX_OPEN) {
    close(descriptor);
    return system_fault(EMFILE);
  }
  sys->open[sys->open_count++] = descriptor;
  return (u32)descriptor;
}

void SYS(close)(sys_t *sys, u32 descriptor)
{
  int i;
  for (i = 0; i < sys->open_count; i++)
    if (sys->open[i] == (int)descriptor) {
      sys->open[i] = sys->open[--sys->open_count];
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

/* ---- sockets ---- */

u32 SYS(socket_open)(sys_t *sys, u32 family, u32 is_stream)
{
  int kind = is_stream ? SOCK_STREAM : SOCK_DGRAM;
  int domain = family == 6 ? AF_INET6 : AF_INET;
  return system_opened(sys, socket(domain, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

u32 SYS(socket_connect)(sys_t *sys, u32 socket, u32 peer)
{
  struct sockaddr_storage storage;
  struct address address;
  socklen_t length;
  address_read(core_octets(sys, peer, ADDRESS_LENGTH), &address);
  length = address_to(&address, &storage);
  if (connect((int)socket, (struct sockaddr *)&storage, length) == 0)
    return 0;
  /* After EINTR the connection goes on in the background, as with EINPROGRESS. */
  return system_fault(errno == EINTR ? EINPROGRESS : errno);
}

u32 SYS(socket_disconnect)(sys_t *sys, u32 socket)
{
  struct sockaddr none;
  int result;
  (void)sys;
  memset(&none, 0, sizeof none);
  none.sa_family = AF_UNSPEC;
  RETRY(result, connect((int)socket, &none, sizeof none));
  return system_result(result);
}

u32 SYS(socket_is_v6_only)(sys_t *sys, u32 socket)
{
  int only = 1;
  socklen_t length = sizeof only;
  (void)sys;
  return getsockopt((int)socket, IPPROTO_IPV6, IPV6_V6ONLY, &only, &length) != 0 || only != 0;
}

u32 SYS(socket_send)(sys_t *sys, u32 socket, u32 place, u32 length)
{
  ssize_t n;
  const uint8_t *octets = core_octets(sys, place, length);
  RETRY(n, send((int)socket, octets, length, MSG_NOSIGNAL));
  return system_result(n);
}

u32 SYS(socket_receive)(sys_t *sys, u32 socket, u32 place, u32 room)
{
  struct iovec vector;
  struct msghdr header;
  ssize_t n;
  memset(&header, 0, sizeof header);
  vector.iov_base = core_octets(sys, place, room);
  vector.iov_len = room < 1 << 30 ? room : (1 << 30) - 1;
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  RETRY(n, recvmsg((int)socket, &header, 0));
  return n < 0 ? system_fault(errno) : (u32)n | (header.msg_flags & MSG_TRUNC ? 1u << 30 : 0);
}

u32 SYS(socket_outcome)(sys_t *sys, u32 socket)
{
  int error = 0;
  socklen_t length = sizeof error;
  (void)sys;
  if (getsockopt((int)socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
    error = errno;
  return error == 0 ? 0 : system_fault(error);
}

u32 SYS(socket_address)(sys_t *sys, u32 socket, u32 place)
{
  struct sockaddr_storage storage;
  struct address address;
  socklen_t length = sizeof storage;
  if (getsockname((int)socket, (struct sockaddr *)&storage, &length) != 0)
    return system_fault(errno);
  if (!address_of(&storage, length, &address))
    return system_fault(EAFNOSUPPORT);
  memcpy(core_octets(sys, place, 16), address.octets, 16);
  return address.family;
}

#define MAX_WAITED 16

u32 SYS(wait)(sys_t *sys, u32 place, u32 count, u64 deadline)
{
  struct pollfd polled[MAX_WAITED];
  int32_t interest[3];
  int result;
  u32 i;
  if (count > MAX_WAITED)
    return system_fault(EINVAL);
  for (i = 0; i < count; i++) {
    memcpy(interest, core_octets(sys, place + i * sizeof interest, sizeof interest), sizeof interest);
    polled[i].fd = interest[0];
    polled[i].events = (short)(POLLIN | (interest[1] ? POLLOUT : 0));
    polled[i].revents = 0;
  }
  do {
    /* Rounded up, so that the deadline has passed on return; the core waits in a loop. */
    u64 now = SYS(clock)(sys), left = deadline > now ? (deadline - now + 999999) / 1000000 : 0;
    result = poll(polled, count, left < INT32_MAX ? (int)left : INT32_MAX);
  } while (result < 0 && errno == EINTR);
  if (result < 0)
    return system_fault(errno);
  for (i = 0; i < count; i++) {
    int32_t ready = polled[i].revents != 0;
    memcpy(core_octets(sys, place + i * sizeof interest + 8, sizeof ready), &ready, sizeof ready);
  }
  return 0;
}
