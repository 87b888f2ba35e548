/* Asks for what no server is needed for, by the library that is preloaded. */

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int failures;

static void expect(int is, const char *what)
{
  printf("%s: %s\n", is ? "ok" : "FAILED", what);
  failures += !is;
}

int main(void)
{
  struct addrinfo hints, *list = NULL;
  struct sockaddr_in v4;
  char text[64] = "";
  int code;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = AF_INET6;
  hints.ai_flags = AI_NUMERICHOST;
  expect(getaddrinfo("2001:db8::1", "53", &hints, &list) == 0 && list != NULL, "a numeric address");
  expect(list != NULL && list->ai_family == AF_INET6 &&
             ((struct sockaddr_in6 *)(void *)list->ai_addr)->sin6_port == htons(53),
         "its family and port");
  freeaddrinfo(list);
  expect(getaddrinfo("not a number", NULL, &hints, &list) == EAI_NONAME, "what is no address");
  memset(&v4, 0, sizeof v4);
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(0xc0000201);
  code = getnameinfo((struct sockaddr *)&v4, sizeof v4, text, sizeof text, NULL, 0, NI_NUMERICHOST);
  expect(code == 0 && strcmp(text, "192.0.2.1") == 0, "an address as text");
  expect(gethostbyname("192.0.2.1") != NULL, "gethostbyname of a number");
  return failures != 0;
}
