/* Sockets as the core asks for them, and waiting for them. All are non-blocking. */

#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "system.h"

#include "kernel.h"

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

/* The socket at a path: here in a moment, or not at all. */
u32 SYS(socket_unix)(sys_t *sys, u32 path, u32 length)
{
  struct sockaddr_un address;
  const uint8_t *octets = core_octets(sys, path, length);
  u32 opened, failed;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  if (length >= sizeof address.sun_path)
    return system_fault(ENOENT);
  memcpy(address.sun_path, octets, length);
  opened = system_opened(sys, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if ((int32_t)opened < 0 ||
      connect((int)opened, (struct sockaddr *)&address, sizeof address) == 0)
    return opened;
  failed = system_fault(errno);
  SYS(close)(sys, opened);
  return failed;
}

u32 SYS(socket_bind_to)(sys_t *sys, u32 socket, u32 interface)
{
  char name[IF_NAMESIZE] = "";
  (void)sys;
  if (!interface_name(interface, name))
    return system_fault(ENOENT);
  return system_result(
      setsockopt((int)socket, SOL_SOCKET, SO_BINDTODEVICE, name, sizeof name));
}

u32 SYS(socket_multicast)(sys_t *sys, u32 socket, u32 family)
{
  int hops = 255;
  (void)sys;
  return system_result(
      family == 6
          ? setsockopt((int)socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops)
          : setsockopt((int)socket, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops));
}

u32 SYS(socket_multicast_by)(sys_t *sys, u32 socket, u32 interface)
{
  struct ip_mreqn request;
  (void)sys;
  memset(&request, 0, sizeof request);
  request.imr_ifindex = (int)interface;
  return system_result(
      setsockopt((int)socket, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request));
}

u32 SYS(socket_send_to)(sys_t *sys, u32 socket, u32 place, u32 length, u32 peer)
{
  struct sockaddr_storage storage;
  struct address address;
  socklen_t storage_length;
  ssize_t n;
  const uint8_t *octets = core_octets(sys, place, length);
  address_read(core_octets(sys, peer, ADDRESS_LENGTH), &address);
  storage_length = address_to(&address, &storage);
  RETRY(n, sendto((int)socket, octets, length, MSG_NOSIGNAL, (struct sockaddr *)&storage,
                  storage_length));
  return system_result(n);
}

u32 SYS(socket_receive_from)(sys_t *sys, u32 socket, u32 place, u32 room, u32 peer)
{
  struct sockaddr_storage storage;
  struct address address;
  socklen_t length = sizeof storage;
  ssize_t n;
  uint8_t *octets = core_octets(sys, place, room);
  RETRY(n, recvfrom((int)socket, octets, room, 0, (struct sockaddr *)&storage, &length));
  if (n < 0)
    return system_fault(errno);
  if (!address_of(&storage, length, &address))
    return system_fault(EAFNOSUPPORT);
  address_write(&address, core_octets(sys, peer, ADDRESS_LENGTH));
  return (u32)n;
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
