/*
 * A malloc that says when the thread is inside: a handler may neither jump out of it nor end the thread there, with any
 * resolver.
 */
#ifndef RUSTDNS_TESTS_IN_MALLOC_H
#define RUSTDNS_TESTS_IN_MALLOC_H

#include <errno.h>
#include <signal.h>
#include <stddef.h>

static _Thread_local volatile sig_atomic_t in_malloc __attribute__((tls_model("initial-exec")));

/* Sanitizers have a malloc of their own, and musl's has no other name. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

#define WITH_FLAG(expression)                                                                      \
    ({                                                                                             \
        in_malloc++;                                                                               \
        void *block = (expression);                                                                \
        in_malloc--;                                                                               \
        block;                                                                                     \
    })

void *malloc(size_t size) { return WITH_FLAG(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return WITH_FLAG(__libc_calloc(count, size)); }
void *realloc(void *old, size_t size) { return WITH_FLAG(__libc_realloc(old, size)); }
void *memalign(size_t align, size_t size) { return WITH_FLAG(__libc_memalign(align, size)); }
void *aligned_alloc(size_t align, size_t size) { return WITH_FLAG(__libc_memalign(align, size)); }

int posix_memalign(void **place, size_t align, size_t size)
{
    *place = WITH_FLAG(__libc_memalign(align, size));
    return *place ? 0 : ENOMEM;
}

void free(void *block)
{
    in_malloc++;
    __libc_free(block);
    in_malloc--;
}

#endif

#endif
