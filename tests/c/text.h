/* How the probes read words and print what calls return. */
#ifndef RUSTDNS_TESTS_TEXT_H
#define RUSTDNS_TESTS_TEXT_H

/* No probe uses all of this. */
#pragma GCC diagnostic ignored "-Wunused-function"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* errno before a call. */
#define UNTOUCHED 7777

struct name {
    const char *text;
    long value;
};

/* musl's headers lack these; rustdns has them there too. */
#ifndef AI_IDN
#define AI_IDN 0x40
#define AI_CANONIDN 0x80
#define NI_IDN 32
#endif
#ifndef EAI_IDN_ENCODE
#define EAI_IDN_ENCODE (-105)
#endif
#ifndef EAI_ADDRFAMILY
#define EAI_ADDRFAMILY (-9)
#endif
#ifndef __GLIBC__
#define strerrorname_np strerror
#elif !__GLIBC_PREREQ(2, 32)
/* Those that calls of the tests end with. */
static const char *strerrorname_np(int error)
{
    static const struct {
        const char *name;
        int error;
    } known[] = {{"EACCES", EACCES}, {"EAGAIN", EAGAIN}, {"EBUSY", EBUSY},
        {"ECONNREFUSED", ECONNREFUSED}, {"EINVAL", EINVAL}, {"EMFILE", EMFILE},
        {"EMSGSIZE", EMSGSIZE}, {"ENOENT", ENOENT}, {"ENOMEM", ENOMEM}, {"ERANGE", ERANGE},
        {"ETIMEDOUT", ETIMEDOUT}};
    for (unsigned long i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].error == error)
            return known[i].name;
    return NULL;
}
#endif

#define AI(x) {#x, AI_##x}
#define NI(x) {#x, NI_##x}

static const struct name families[] = {
    {"unspec", AF_UNSPEC}, {"inet", AF_INET}, {"inet6", AF_INET6}, {"unix", AF_UNIX}, {0, 0}};
static const struct name types[] = {{"stream", SOCK_STREAM}, {"dgram", SOCK_DGRAM},
    {"raw", SOCK_RAW}, {"seqpacket", SOCK_SEQPACKET}, {0, 0}};
static const struct name protocols[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP},
    {"icmp", IPPROTO_ICMP}, {"sctp", IPPROTO_SCTP}, {"dccp", IPPROTO_DCCP},
    {"udplite", IPPROTO_UDPLITE}, {"icmpv6", IPPROTO_ICMPV6}, {0, 0}};
static const struct name ai_flags[] = {AI(PASSIVE), AI(CANONNAME), AI(NUMERICHOST),
    AI(NUMERICSERV), AI(V4MAPPED), AI(ALL), AI(ADDRCONFIG), AI(IDN), AI(CANONIDN), {0, 0}};
static const struct name ni_flags[] = {NI(NUMERICHOST), NI(NUMERICSERV), NI(NAMEREQD), NI(NOFQDN),
    NI(DGRAM), NI(IDN), {0, 0}};
static const struct name errors[] = {{"0", 0}, {"EAI_BADFLAGS", EAI_BADFLAGS},
    {"EAI_NONAME", EAI_NONAME}, {"EAI_AGAIN", EAI_AGAIN}, {"EAI_FAIL", EAI_FAIL},
    {"EAI_NODATA", EAI_NODATA}, {"EAI_ADDRFAMILY", EAI_ADDRFAMILY}, {"EAI_FAMILY", EAI_FAMILY},
    {"EAI_SOCKTYPE", EAI_SOCKTYPE}, {"EAI_SERVICE", EAI_SERVICE}, {"EAI_MEMORY", EAI_MEMORY},
    {"EAI_SYSTEM", EAI_SYSTEM}, {"EAI_OVERFLOW", EAI_OVERFLOW},
    {"EAI_IDN_ENCODE", EAI_IDN_ENCODE}, {0, 0}};

static void die(const char *what)
{
    fprintf(stderr, "gai: %s\n", what);
    exit(64);
}

static long number(const char *text, const struct name *names)
{
    for (; names != NULL && names->text != NULL; names++)
        if (strcmp(names->text, text) == 0)
            return names->value;
    char *end;
    long value = strtol(text, &end, 0);
    if (*text == '\0' || *end != '\0')
        die(text);
    return value;
}

static long flags(char *text, const struct name *names)
{
    long all = 0;
    for (char *rest = text, *one; (one = strsep(&rest, ",")) != NULL;)
        all |= number(one, names);
    return all;
}

static void name_of(FILE *out, long value, const struct name *names)
{
    for (; names->text != NULL; names++)
        if (names->value == value) {
            fputs(names->text, out);
            return;
        }
    fprintf(out, "%ld", value);
}

static void escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte > ' ' && byte < 0x7f && byte != '\\')
            fputc(byte, out);
        else
            fprintf(out, "\\x%02x", byte);
    }
}

/* Replaces \xNN in place. */
static char *unescape(char *text)
{
    if (strcmp(text, "-") == 0)
        return NULL;
    if (strcmp(text, "\"\"") == 0)
        text[0] = '\0';
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        unsigned byte;
        if (from[0] == '\\' && from[1] == 'x' && sscanf(from + 2, "%2x", &byte) == 1) {
            *to = (char)byte;
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    return text;
}

static void print_error(FILE *out, int code, int error)
{
    name_of(out, code, errors);
    if (code == EAI_SYSTEM)
        fprintf(out, " errno=%s", strerrorname_np(error) ? strerrorname_np(error) : "unknown");
    else if (code == 0 && error != UNTOUCHED)
        fprintf(out, " errno changed to %d", error);
    fputc('\n', out);
}

static void print_address(FILE *out, const struct sockaddr *address, socklen_t length)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (address == NULL) {
        fputs("no address", out);
    } else if (address->sa_family == AF_INET && length == sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const void *)address;
        static const unsigned char zero[sizeof in->sin_zero];
        inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
        fprintf(out, "%s port %d", text, ntohs(in->sin_port));
        if (memcmp(in->sin_zero, zero, sizeof zero) != 0)
            fputs(" sin_zero is not zero", out);
    } else if (address->sa_family == AF_INET6 && length == sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *in6 = (const void *)address;
        inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
        fprintf(out, "%s port %d", text, ntohs(in6->sin6_port));
        if (in6->sin6_flowinfo != 0)
            fprintf(out, " flow %u", in6->sin6_flowinfo);
        if (in6->sin6_scope_id != 0)
            fprintf(out, " scope %u", in6->sin6_scope_id);
    } else {
        fprintf(out, "family %d length %u", address->sa_family, length);
    }
}

/* The next call from standard input, its words in words[0] to words[most - 1]; 0 at the end. Empty lines
 * and those that begin with # are passed over. The line itself is printed; the words are overwritten by
 * the next call of this. */
static int next_call(char **words, int most)
{
    static char *line;
    static size_t room;
    while (getline(&line, &room, stdin) > 0) {
        char *rest = line;
        int count = 0;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' || line[0] == '#')
            continue;
        printf("> %.200s\n", line);
        for (char *word; (word = strsep(&rest, " ")) != NULL;)
            if (*word != '\0' && count < most)
                words[count++] = word;
        if (count > 0)
            return count;
    }
    free(line);
    line = NULL;
    return 0;
}

#endif
