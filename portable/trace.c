/* Where the debug trace goes. Nothing is kept open between lines: a descriptor of ours could be
   closed, or its number reused, by the program that we live in. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "system.h"

#include "kernel.h"

/* The program's listener; what it points to never changes and is never freed. */
struct listener *system_listener;

u32 SYS(log_is_heard)(sys_t *sys)
{
  (void)sys;
  return __atomic_load_n(&system_listener, __ATOMIC_ACQUIRE) != NULL;
}

void SYS(log_tell)(sys_t *sys, u32 level, u32 line, u32 length)
{
  struct listener *listener = __atomic_load_n(&system_listener, __ATOMIC_ACQUIRE);
  const char *text = (const char *)core_octets(sys, line, length);
  if (listener != NULL && length > 0 && text[length - 1] == '\0')
    listener->function(listener->context, (int)level, text);
}

/* The kernel's set of signals: 64 of them, 128 on MIPS. */
#ifdef __mips__
#define SIGNALS_SIZE 16
#else
#define SIGNALS_SIZE 8
#endif
struct signals {
  unsigned long words[SIGNALS_SIZE / sizeof(unsigned long)];
};

static unsigned long bit_of(int signal)
{
  return 1ul << (signal - 1);
}

/* Takes one of these back that is pending; 0 where none is. Zeros are no time in either form of timespec. */
static int signal_take(const struct signals *set)
{
  long long none[2] = {0, 0};
#ifdef SYS_rt_sigtimedwait
  return syscall(SYS_rt_sigtimedwait, set, NULL, none, SIGNALS_SIZE) > 0;
#else
  return syscall(SYS_rt_sigtimedwait_time64, set, NULL, none, SIGNALS_SIZE) > 0;
#endif
}

/* True where a line can be written without waiting. A pipe's reader gets a tenth of a second to catch up, once:
   until it has, nobody waits again. */
static int has_room(int descriptor)
{
  static int stands_still;
  struct pollfd interest;
  int room;
  interest.fd = descriptor;
  interest.events = POLLOUT;
  interest.revents = 0;
  /* A signal handler that ran meanwhile costs no line. */
  room = poll(&interest, 1, __atomic_load_n(&stands_still, __ATOMIC_RELAXED) ? 0 : 100) != 0;
  __atomic_store_n(&stands_still, !room, __ATOMIC_RELAXED);
  return room;
}

/* Neither a reader that has gone (SIGPIPE) nor a limit on file sizes (SIGXFSZ) ends the process, and one that
   stands still is not waited for: a line that can't be written is lost. The kernel sends both signals to the
   thread that writes. */
static void write_all(int descriptor, const uint8_t *octets, size_t length)
{
  struct signals ours, before, pending;
  memset(&ours, 0, sizeof ours);
  memset(&before, 0, sizeof before);
  memset(&pending, 0, sizeof pending);
  ours.words[0] = bit_of(SIGPIPE) | bit_of(SIGXFSZ);
  syscall(SYS_rt_sigpending, &pending, SIGNALS_SIZE);
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, &ours, &before, SIGNALS_SIZE);
  while (length > 0 && has_room(descriptor)) {
    ssize_t n = write(descriptor, octets, length);
    if (n > 0) {
      octets += n;
      length -= (size_t)n;
    } else if (n == 0 || errno != EINTR) {
      break;
    }
  }
  ours.words[0] &= ~pending.words[0]; /* somebody else's */
  while (signal_take(&ours))
    ;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, SIGNALS_SIZE);
}

/* By a datagram of our own: syslog(3) keeps a descriptor, and its identity belongs to the program. */
static void to_syslog(const uint8_t *line, size_t length)
{
  static const char priority[] = "<15>rustdns: "; /* user.debug, RFC 3164 */
  struct sockaddr_un address;
  struct iovec parts[2];
  struct msghdr message;
  int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path, "/dev/log");
  if (length > 0 && line[length - 1] == '\n')
    length--;
  parts[0].iov_base = (void *)priority;
  parts[0].iov_len = sizeof priority - 1;
  parts[1].iov_base = (void *)line;
  parts[1].iov_len = length;
  memset(&message, 0, sizeof message);
  message.msg_name = &address;
  message.msg_namelen = sizeof address;
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  close(descriptor);
}

/* A plain file of the process's user, under no other name. */
static int is_own(int file)
{
  struct stat status;
  return fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
         status.st_uid == geteuid();
}

/* Never waits, not even for a pipe's reader. A process with more rights than who started it writes to
   no file that somebody may have put there for that. */
static void to_file(const uint8_t *path, u32 length, const uint8_t *line, size_t line_length)
{
  char name[4096];
  int file;
  if (length >= sizeof name)
    return;
  memcpy(name, path, length);
  name[length] = '\0';
  file = open(name,
              O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
  if (file < 0)
    return;
  if (getauxval(AT_SECURE) == 0 || is_own(file))
    write_all(file, line, line_length);
  close(file);
}

void SYS(log_line)(sys_t *sys, u32 sink, u32 path, u32 path_length, u32 line, u32 length)
{
  const uint8_t *text = core_octets(sys, line, length);
  if (sink == 0)
    write_all(STDERR_FILENO, text, length);
  else if (sink == 1)
    to_file(core_octets(sys, path, path_length), path_length, text, length);
  else
    to_syslog(text, length);
}
