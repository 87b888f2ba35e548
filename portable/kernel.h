/* System calls of our own, in place of libc's functions: whoever has a function of such a name, the program or a
   wrapper before us, would be called by it. To be included after all headers of the system's.

   The functions are libc's in all else: -1 and errno for a failure. None is a cancellation point. */

#ifndef RUSTDNS_KERNEL_H
#define RUSTDNS_KERNEL_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "portable.h"

HIDDEN long kernel_make(long number, long, long, long, long, long, long);
/* The same for sockets: on i386 kernels before 4.3 know them by one call alone (socketcall(2)). */
HIDDEN long kernel_socket(long number, long operation, long, long, long, long, long, long);
HIDDEN int kernel_poll(struct pollfd *, nfds_t, int milliseconds);
HIDDEN int kernel_clock(clockid_t, struct timespec *);
HIDDEN int kernel_stat(int folder, const char *path, int flags, struct stat *);
HIDDEN void *kernel_map(size_t length);
HIDDEN int kernel_host_name(char *name, size_t room);
HIDDEN int kernel_ioctl(int descriptor, unsigned long request, void *place);
HIDDEN pid_t kernel_process(void);
HIDDEN uid_t kernel_user(void);
HIDDEN uid_t kernel_real_user(void);
/* strnlen(3) and strdup(3): names that ISO C does not have. */
HIDDEN size_t text_length(const char *text, size_t room);
HIDDEN char *text_copy(const char *text);

#define KERNEL_SIX(number, a, b, c, d, e, f, ...) \
  kernel_make((long)(number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define kernel_call(...) KERNEL_SIX(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define KERNEL_SOCKET(number, operation, a, b, c, d, e, f, ...) \
  kernel_socket((long)(number), operation, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define kernel_of_sockets(...) KERNEL_SOCKET(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* A name that no program may take; musl has it for itself alone. */
#ifdef __GLIBC__
extern unsigned long __getauxval(unsigned long);
#define getauxval(kind) __getauxval(kind)
#endif

static inline int kernel_close(int descriptor)
{
  return (int)kernel_call(SYS_close, descriptor);
}

static inline int kernel_unmap(void *place, size_t length)
{
  return (int)kernel_call(SYS_munmap, place, length);
}

static inline int kernel_advise(void *place, size_t length, int advice)
{
  return (int)kernel_call(SYS_madvise, place, length, advice);
}

static inline void *kernel_remap(void *place, size_t length, size_t wanted)
{
  return (void *)kernel_call(SYS_mremap, place, length, wanted, 1); /* MREMAP_MAYMOVE */
}

#undef fstat
#undef stat
#define syscall(...) kernel_call(__VA_ARGS__)
#define socket(family, kind, protocol) ((int)kernel_of_sockets(SYS_socket, 1, family, kind, protocol))
#define connect(socket_, to, length) ((int)kernel_of_sockets(SYS_connect, 3, socket_, to, length))
#define getsockname(socket_, place, length) \
  ((int)kernel_of_sockets(SYS_getsockname, 6, socket_, place, length))
#define getsockopt(socket_, level, name, place, length) \
  ((int)kernel_of_sockets(SYS_getsockopt, 15, socket_, level, name, place, length))
#define setsockopt(socket_, level, name, place, length) \
  ((int)kernel_of_sockets(SYS_setsockopt, 14, socket_, level, name, place, length))
#define sendto(socket_, octets, length, flags, to, to_length) \
  kernel_of_sockets(SYS_sendto, 11, socket_, octets, length, flags, to, to_length)
#define send(socket_, octets, length, flags) sendto(socket_, octets, length, flags, NULL, 0)
#define sendmsg(socket_, message, flags) kernel_of_sockets(SYS_sendmsg, 16, socket_, message, flags)
#define recvfrom(socket_, place, room, flags, from, from_length) \
  kernel_of_sockets(SYS_recvfrom, 12, socket_, place, room, flags, from, from_length)
#define recv(socket_, place, room, flags) recvfrom(socket_, place, room, flags, NULL, NULL)
#define recvmsg(socket_, message, flags) kernel_of_sockets(SYS_recvmsg, 17, socket_, message, flags)
#define close(descriptor) kernel_close(descriptor)
#define open(...) ((int)kernel_call(SYS_openat, AT_FDCWD, __VA_ARGS__))
#define read(descriptor, place, room) kernel_call(SYS_read, descriptor, place, room)
#define write(descriptor, octets, length) kernel_call(SYS_write, descriptor, octets, length)
#define munmap(place, length) kernel_unmap(place, length)
#define madvise(place, length, advice) kernel_advise(place, length, advice)
#define sigaltstack(new, old) ((int)kernel_call(SYS_sigaltstack, new, old))
#define ioctl(descriptor, request, place) kernel_ioctl(descriptor, request, place)
#define poll(places, count, milliseconds) kernel_poll(places, count, milliseconds)
#define clock_gettime(clock, place) kernel_clock(clock, place)
#define fstat(descriptor, place) kernel_stat(descriptor, "", AT_EMPTY_PATH, place)
#define stat(path, place) kernel_stat(AT_FDCWD, path, 0, place)
#define gethostname(name, room) kernel_host_name(name, room)
#define getpid() kernel_process()
#define geteuid() kernel_user()
#define getuid() kernel_real_user()

#endif
