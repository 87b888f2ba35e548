/*
 * A stranger's librustdns-encrypted.so: says that it was loaded. With THAT_FITS it is one of another build
 * that has the same contract (src/sys/encrypted/contract.rs), and says of each question that it won't.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void loaded(void)
{
    static const char text[] = "another object was loaded\n";
    if (write(1, text, sizeof text - 1) < 0)
        _exit(1);
}

#ifdef THAT_FITS
struct octets {
    const uint8_t *at;
    size_t length;
};

struct event {
    size_t question;
    uint32_t kind;
    struct octets message, text;
};

struct call {
    void *place;
    uint16_t port;
    _Bool validate;
    uint32_t scope, limit;
    uint8_t address[16];
    struct octets server, authorities, anchors, questions[2];
    _Bool (*take)(void *, const struct event *);
    void *taker;
};

static void begin(void)
{
}

static void prepare(const void *files)
{
    (void)files;
}

static void ask(const struct call *call)
{
    static const char text[] = "another build has this contract";
    for (size_t i = 0; i < 2; i++) {
        struct event event = {i, 7, {0, 0}, {(const uint8_t *)text, strlen(text)}};
        event.message.at = event.text.at;
        call->take(call->taker, &event);
    }
}

const struct {
    void (*begin)(void);
    void (*prepare)(const void *);
    void (*ask)(const struct call *);
} rustdns_encrypted_1 = {begin, prepare, ask};
#endif
