/* Network interfaces, and the locale: the rest of what the core asks of the system. */

#define _GNU_SOURCE
#include <errno.h>
#include <iconv.h>
#include <langinfo.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "system.h"

#include "kernel.h"

/* ---- interfaces ---- */

/* By a socket of the family's (netdevice(7)). */
static int interface_ask(int family, unsigned long what, struct ifreq *request)
{
  int result, descriptor = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return 0;
  result = ioctl(descriptor, what, request);
  close(descriptor);
  return result == 0;
}

int interface_name(uint32_t index, char name[IF_NAMESIZE])
{
  struct ifreq request;
  memset(&request, 0, sizeof request);
  request.ifr_ifindex = (int)index;
  if (!interface_ask(AF_UNIX, SIOCGIFNAME, &request))
    return 0;
  memcpy(name, request.ifr_name, IF_NAMESIZE);
  name[IF_NAMESIZE - 1] = '\0';
  return 1;
}

u32 SYS(interface_index)(sys_t *sys, u32 place, u32 length)
{
  char name[IF_NAMESIZE] = "";
  struct ifreq request;
  const uint8_t *octets = core_octets(sys, place, length);
  if (length >= sizeof name)
    return 0;
  memcpy(name, octets, length);
  name[length] = '\0';
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, name, sizeof name);
  return interface_ask(AF_UNIX, SIOCGIFINDEX, &request) ? (u32)request.ifr_ifindex : 0;
}

u32 SYS(interface_name)(sys_t *sys, u32 index, u32 place)
{
  char name[IF_NAMESIZE];
  if (!interface_name(index, name))
    return 0;
  memcpy(core_octets(sys, place, sizeof name), name, sizeof name);
  return (u32)strlen(name);
}

u32 SYS(interface_is_tunnel)(sys_t *sys, u32 index)
{
  struct ifreq request;
  (void)sys;
  memset(&request, 0, sizeof request);
  /* Of linux/if_arp.h: IPv4 in IPv4, IPv6 in IPv6, IPv6 in IPv4. */
  return interface_name(index, request.ifr_name) && interface_ask(AF_INET, SIOCGIFHWADDR, &request) &&
         (request.ifr_hwaddr.sa_family == 768 || request.ifr_hwaddr.sa_family == 769 ||
          request.ifr_hwaddr.sa_family == 776);
}

u32 SYS(routing_ask)(sys_t *sys, u32 request, u32 length)
{
  struct sockaddr_nl kernel;
  ssize_t n;
  u32 socket_ = system_opened(sys, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if ((int32_t)socket_ < 0)
    return socket_;
  memset(&kernel, 0, sizeof kernel);
  kernel.nl_family = AF_NETLINK;
  RETRY(n, sendto((int)socket_, core_octets(sys, request, length), length, 0,
                  (struct sockaddr *)&kernel, sizeof kernel));
  if (n < 0) {
    u32 failed = system_fault(errno);
    SYS(close)(sys, socket_);
    return failed;
  }
  return socket_;
}

u32 SYS(routing_receive)(sys_t *sys, u32 socket, u32 place, u32 room)
{
  ssize_t n;
  /* The kernel has queued the answer before sendto() returned: this does not wait. */
  RETRY(n, recv((int)socket, core_octets(sys, place, room), room, MSG_DONTWAIT));
  return system_result(n);
}

/* ---- the locale ---- */

static int is_utf_8(const char *codeset)
{
  static const char own[] = "utf-8";
  size_t i;
  for (i = 0; own[i] != '\0'; i++)
    if ((codeset[i] | 0x20) != (own[i] | 0x20))
      return 0;
  return codeset[i] == '\0';
}

/* -1: it can't be converted; -2: the locale's encoding is UTF-8; -3: no memory. */
u32 SYS(convert)(sys_t *sys, u32 direction, u32 text, u32 length, u32 place, u32 room)
{
  const char *codeset = nl_langinfo(CODESET);
  char *source = (char *)core_octets(sys, text, length);
  char *target = (char *)core_octets(sys, place, room);
  size_t unread = length, unwritten = room, result;
  iconv_t converter;
  if (is_utf_8(codeset))
    return (u32)-2;
  converter = direction == 0 ? iconv_open("UTF-8", codeset) : iconv_open(codeset, "UTF-8");
  if (converter == (iconv_t)-1)
    return (u32)(errno == ENOMEM ? -3 : -1);
  result = iconv(converter, &source, &unread, &target, &unwritten);
  iconv_close(converter);
  /* Anything but zero: an error, or characters that were replaced. */
  return result != 0 || unread != 0 ? (u32)-1 : room - (u32)unwritten;
}
