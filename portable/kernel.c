/* System calls of our own: by the instruction that enters the kernel, where it is known here; else by libc's
   syscall(2), a name that a program may take. */

#define _GNU_SOURCE
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include "kernel.h"

#undef syscall

/* What the call returns, or a negative errno. */
#if defined(__x86_64__) && defined(__LP64__)
static long enter(long number, long a, long b, long c, long d, long e, long f)
{
  register long fourth __asm__("r10") = d;
  register long fifth __asm__("r8") = e;
  register long sixth __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "+a"(number)
                   : "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
                   : "rcx", "r11", "memory");
  return number;
}
#elif defined(__i386__)
/* The compiler needs ebx and ebp for itself. */
static __attribute__((noinline)) long enter(long number, long a, long b, long c, long d, long e, long f)
{
  long arguments[6] = {a, b, c, d, e, f}, *at = arguments;
  __asm__ volatile("pushl %%ebx\n\tpushl %%ebp\n\tpushl %%esi\n\tpushl %%edi\n\t"
                   "movl (%%ecx), %%ebx\n\tmovl 8(%%ecx), %%edx\n\tmovl 12(%%ecx), %%esi\n\t"
                   "movl 16(%%ecx), %%edi\n\tmovl 20(%%ecx), %%ebp\n\tmovl 4(%%ecx), %%ecx\n\t"
                   "int $0x80\n\t"
                   "popl %%edi\n\tpopl %%esi\n\tpopl %%ebp\n\tpopl %%ebx"
                   : "+a"(number), "+c"(at)
                   :
                   : "edx", "memory", "cc");
  return number;
}
#elif defined(__aarch64__) && defined(__LP64__)
static long enter(long number, long a, long b, long c, long d, long e, long f)
{
  register long which __asm__("x8") = number;
  register long r0 __asm__("x0") = a;
  register long r1 __asm__("x1") = b;
  register long r2 __asm__("x2") = c;
  register long r3 __asm__("x3") = d;
  register long r4 __asm__("x4") = e;
  register long r5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(r0)
                   : "r"(which), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
                   : "memory");
  return r0;
}
#elif defined(__riscv) && __riscv_xlen == 64
static long enter(long number, long a, long b, long c, long d, long e, long f)
{
  register long which __asm__("a7") = number;
  register long r0 __asm__("a0") = a;
  register long r1 __asm__("a1") = b;
  register long r2 __asm__("a2") = c;
  register long r3 __asm__("a3") = d;
  register long r4 __asm__("a4") = e;
  register long r5 __asm__("a5") = f;
  __asm__ volatile("ecall"
                   : "+r"(r0)
                   : "r"(which), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
                   : "memory");
  return r0;
}
#elif defined(__loongarch64)
static long enter(long number, long a, long b, long c, long d, long e, long f)
{
  register long which __asm__("$a7") = number;
  register long r0 __asm__("$a0") = a;
  register long r1 __asm__("$a1") = b;
  register long r2 __asm__("$a2") = c;
  register long r3 __asm__("$a3") = d;
  register long r4 __asm__("$a4") = e;
  register long r5 __asm__("$a5") = f;
  __asm__ volatile("syscall 0"
                   : "+r"(r0)
                   : "r"(which), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
                   : "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7", "$t8", "memory");
  return r0;
}
#elif defined(__alpha__) || defined(__sw_64__)
/* Whether it has failed stands where the fourth argument was. */
#ifdef __alpha__
#define ENTER "callsys"
#else
#define ENTER "sys_call 0x83"
#endif
static long enter(long number, long a, long b, long c, long d, long e, long f)
{
  register long result __asm__("$0") = number;
  register long r0 __asm__("$16") = a;
  register long r1 __asm__("$17") = b;
  register long r2 __asm__("$18") = c;
  register long r3 __asm__("$19") = d;
  register long r4 __asm__("$20") = e;
  register long r5 __asm__("$21") = f;
  __asm__ volatile(ENTER
                   : "+r"(result), "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5)
                   :
                   : "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$22", "$23", "$24", "$25", "$27", "$28",
                     "memory");
  return r3 != 0 ? -result : result;
}
#else
static long enter(long number, long a, long b, long c, long d, long e, long f)
{
  long result = syscall(number, a, b, c, d, e, f);
  return result == -1 ? -errno : result;
}
#endif

long kernel_make(long number, long a, long b, long c, long d, long e, long f)
{
  long result = enter(number, a, b, c, d, e, f);
  if (result < 0 && result >= -4095) {
    errno = (int)-result;
    return -1;
  }
  return result;
}

long kernel_socket(long number, long operation, long a, long b, long c, long d, long e, long f)
{
  long result = kernel_make(number, a, b, c, d, e, f);
#if defined(__i386__) && defined(SYS_socketcall)
  if (result == -1 && errno == ENOSYS) {
    long arguments[6] = {a, b, c, d, e, f};
    return kernel_call(SYS_socketcall, operation, arguments);
  }
#endif
  (void)operation;
  return result;
}

int kernel_poll(struct pollfd *places, nfds_t count, int milliseconds)
{
#ifdef SYS_poll
  return (int)kernel_call(SYS_poll, places, count, milliseconds);
#else
  struct { long seconds, nanoseconds; } time;
  time.seconds = milliseconds / 1000;
  time.nanoseconds = milliseconds % 1000 * 1000000L;
  return (int)kernel_call(SYS_ppoll, places, count, milliseconds < 0 ? NULL : &time, NULL, 0);
#endif
}

/* In words of the kernel's first call, whatever time_t is. */
int kernel_clock(clockid_t clock, struct timespec *place)
{
  struct { long seconds, nanoseconds; } time = {0, 0};
  int result = (int)kernel_call(SYS_clock_gettime, clock, &time);
  place->tv_sec = time.seconds;
  place->tv_nsec = time.nanoseconds;
  return result;
}

/* By statx(2), which is the same everywhere; where the kernel is older than Linux 4.11, by libc's function. */
#undef fstat
#undef stat
int kernel_stat(int folder, const char *path, int flags, struct stat *place)
{
#ifdef SYS_statx
  union {
    uint8_t octets[256];
    uint64_t aligned[32];
  } found;
  uint32_t number, device[2];
  uint16_t mode;
  uint64_t size, inode;
  int64_t seconds[2];
  uint32_t nanoseconds[2];
  /* STATX_BASIC_STATS */
  long result = kernel_call(SYS_statx, folder, path, flags, 0x7ff, &found);
  if (result == 0) {
    memset(place, 0, sizeof *place);
    memcpy(&number, found.octets + 16, sizeof number);
    place->st_nlink = number;
    memcpy(&number, found.octets + 20, sizeof number);
    place->st_uid = number;
    memcpy(&mode, found.octets + 28, sizeof mode);
    place->st_mode = mode;
    memcpy(&inode, found.octets + 32, sizeof inode);
    place->st_ino = (ino_t)inode;
    memcpy(&size, found.octets + 40, sizeof size);
    place->st_size = (off_t)size;
    /* Of the last change of the status, and of the content. */
    memcpy(&seconds[0], found.octets + 96, sizeof seconds[0]);
    memcpy(&nanoseconds[0], found.octets + 104, sizeof nanoseconds[0]);
    memcpy(&seconds[1], found.octets + 112, sizeof seconds[1]);
    memcpy(&nanoseconds[1], found.octets + 120, sizeof nanoseconds[1]);
    place->st_ctim.tv_sec = (time_t)seconds[0];
    place->st_ctim.tv_nsec = (long)nanoseconds[0];
    place->st_mtim.tv_sec = (time_t)seconds[1];
    place->st_mtim.tv_nsec = (long)nanoseconds[1];
    memcpy(device, found.octets + 136, sizeof device);
    /* A number of its own for each; makedev(3) may be a function. */
    place->st_dev = (dev_t)device[0] << 20 | device[1];
    return 0;
  }
  if (errno != ENOSYS)
    return -1;
#endif
  return flags == 0 ? stat(path, place) : fstat(folder, place);
}

void *kernel_map(size_t length)
{
  int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef SYS_mmap2
  return (void *)kernel_call(SYS_mmap2, NULL, length, protection, flags, -1, 0);
#else
  return (void *)kernel_call(SYS_mmap, NULL, length, protection, flags, -1, 0);
#endif
}

int kernel_host_name(char *name, size_t room)
{
  struct utsname names;
  size_t length;
  if (kernel_call(SYS_uname, &names) != 0)
    return -1;
  length = text_length(names.nodename, sizeof names.nodename);
  if (length >= room)
    length = room - 1;
  memcpy(name, names.nodename, length);
  name[length] = '\0';
  return 0;
}

int kernel_ioctl(int descriptor, unsigned long request, void *place)
{
  return (int)kernel_call(SYS_ioctl, descriptor, request, place);
}

#undef getpid
#undef geteuid
#undef getuid

pid_t kernel_process(void)
{
#if defined(SYS_getpid)
  return (pid_t)kernel_call(SYS_getpid, 0);
#elif defined(SYS_getxpid)
  return (pid_t)kernel_call(SYS_getxpid, 0);
#else
  return getpid();
#endif
}

uid_t kernel_user(void)
{
#if defined(SYS_geteuid32)
  return (uid_t)kernel_call(SYS_geteuid32, 0);
#elif defined(SYS_geteuid)
  return (uid_t)kernel_call(SYS_geteuid, 0);
#else
  return geteuid();
#endif
}

uid_t kernel_real_user(void)
{
#if defined(SYS_getuid32)
  return (uid_t)kernel_call(SYS_getuid32, 0);
#elif defined(SYS_getuid)
  return (uid_t)kernel_call(SYS_getuid, 0);
#elif defined(SYS_getxuid)
  return (uid_t)kernel_call(SYS_getxuid, 0);
#else
  return getuid();
#endif
}

size_t text_length(const char *text, size_t room)
{
  const char *end = memchr(text, '\0', room);
  return end == NULL ? room : (size_t)(end - text);
}

char *text_copy(const char *text)
{
  size_t size = strlen(text) + 1;
  char *copy = malloc(size);
  return copy == NULL ? NULL : memcpy(copy, text, size);
}
