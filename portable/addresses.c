/* Addresses between the core's form and the system's. */

#include <netinet/in.h>

#include "portable.h"

void address_write(const struct address *address, uint8_t *place)
{
  memcpy(place, address->octets, 16);
  memcpy(place + 16, &address->scope, 4);
  memcpy(place + 20, &address->port, 2);
  place[22] = address->family;
  place[23] = 0;
}

void address_read(const uint8_t *place, struct address *address)
{
  memcpy(address->octets, place, 16);
  memcpy(&address->scope, place + 16, 4);
  memcpy(&address->port, place + 20, 2);
  address->family = place[22];
}

int address_of(const void *from, socklen_t length, struct address *address)
{
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  sa_family_t family;
  memset(address, 0, sizeof *address);
  if (length < offsetof(struct sockaddr, sa_family) + sizeof family)
    return 0;
  memcpy(&family, (const char *)from + offsetof(struct sockaddr, sa_family), sizeof family);
  if (family == AF_INET && length >= sizeof v4) {
    memcpy(&v4, from, sizeof v4);
    memcpy(address->octets, &v4.sin_addr, 4);
    address->port = ntohs(v4.sin_port);
    address->family = 4;
    return 1;
  }
  if (family == AF_INET6 && length >= sizeof v6) {
    memcpy(&v6, from, sizeof v6);
    memcpy(address->octets, &v6.sin6_addr, 16);
    address->port = ntohs(v6.sin6_port);
    address->scope = v6.sin6_scope_id;
    address->family = 6;
    return 1;
  }
  return 0;
}

socklen_t address_to(const struct address *address, void *to)
{
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  if (address->family == 4) {
    memset(&v4, 0, sizeof v4);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address->port);
    memcpy(&v4.sin_addr, address->octets, 4);
    memcpy(to, &v4, sizeof v4);
    return sizeof v4;
  }
  memset(&v6, 0, sizeof v6);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address->port);
  v6.sin6_scope_id = address->scope;
  memcpy(&v6.sin6_addr, address->octets, 16);
  memcpy(to, &v6, sizeof v6);
  return sizeof v6;
}

int family_number(int family)
{
  switch (family) {
  case AF_UNSPEC:
    return 0;
  case AF_INET:
    return 4;
  case AF_INET6:
    return 6;
  default:
    return -1;
  }
}
