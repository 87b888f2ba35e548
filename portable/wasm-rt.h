/* What the C that wasm2c makes (core.c) asks of its surroundings: memory, a table of functions, a
   way out. Only what the core uses; portable/runtime.c has the functions. */

#ifndef RUSTDNS_WASM_RT_H
#define RUSTDNS_WASM_RT_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Programs may have WebAssembly of their own, linked into the same file. */
#define wasm_rt_trap rustdns_core_trap
#define wasm_rt_register_func_type rustdns_core_register_func_type
#define wasm_rt_allocate_memory rustdns_core_allocate_memory
#define wasm_rt_grow_memory rustdns_core_grow_memory
#define wasm_rt_free_memory rustdns_core_free_memory
#define wasm_rt_allocate_funcref_table rustdns_core_allocate_table
#define wasm_rt_free_funcref_table rustdns_core_free_table
#define wasm_rt_is_initialized() true

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define wasm_rt_memcpy memcpy
#define wasm_rt_unreachable __builtin_unreachable

/* Every access is checked by comparison: a signal handler would be the program's business. */
#define WASM_RT_MEMCHECK_SIGNAL_HANDLER 0
/* The core does not recurse; what it keeps on its stack is bounded by its own memory. */
#define WASM_RT_USE_STACK_DEPTH_COUNT 0

typedef enum {
  WASM_RT_TRAP_NONE,
  WASM_RT_TRAP_OOB,
  WASM_RT_TRAP_INT_OVERFLOW,
  WASM_RT_TRAP_DIV_BY_ZERO,
  WASM_RT_TRAP_INVALID_CONVERSION,
  WASM_RT_TRAP_UNREACHABLE,
  WASM_RT_TRAP_CALL_INDIRECT,
  WASM_RT_TRAP_EXHAUSTION
} wasm_rt_trap_t;

typedef enum { WASM_RT_I32, WASM_RT_I64, WASM_RT_F32, WASM_RT_F64 } wasm_rt_type_t;

typedef void (*wasm_rt_function_ptr_t)(void);

typedef struct {
  uint32_t func_type;
  wasm_rt_function_ptr_t func;
  void *module_instance;
} wasm_rt_funcref_t;

typedef struct {
  uint8_t *data;
  uint32_t pages, max_pages; /* of 64 KiB */
  uint32_t size;             /* in octets */
} wasm_rt_memory_t;

typedef struct {
  wasm_rt_funcref_t *data;
  uint32_t max_size;
  uint32_t size;
} wasm_rt_funcref_table_t;

/* The core has none of these, but wasm2c's own macros name them. */
typedef void *wasm_rt_externref_t;
typedef struct {
  wasm_rt_externref_t *data;
  uint32_t max_size, size;
} wasm_rt_externref_table_t;
static const wasm_rt_externref_t wasm_rt_externref_null_value __attribute__((unused)) = NULL;

/* Leaves the core: the call of core_try() that led into it returns the reason. */
__attribute__((noreturn)) void wasm_rt_trap(wasm_rt_trap_t reason);

/* A number for a function's type; the same for the same type. */
uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...);

void wasm_rt_allocate_memory(wasm_rt_memory_t *, uint32_t initial_pages, uint32_t max_pages);
/* The number of pages before, or UINT32_MAX where there are no more. */
uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *, uint32_t pages);
void wasm_rt_free_memory(wasm_rt_memory_t *);
void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *, uint32_t elements, uint32_t max);
void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *);

#endif
