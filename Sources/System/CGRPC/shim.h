#ifndef CGRPC_SHIM_H
#define CGRPC_SHIM_H
// First, so that glibc's feature macros are fixed before gRPC defines _GNU_SOURCE; otherwise
// fd_set differs from the one in Swift's Glibc module and debug builds fail.
#include <features.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>

// Swift sees no function-like macros and copies a C union to read one member, so the few reads
// that happen for every message are written here.

/// Where the bytes of a slice start. The slice must stay in place: short ones hold their bytes.
static inline const uint8_t *cgrpc_slice_start(const grpc_slice *slice) {
  return GRPC_SLICE_START_PTR(*slice);
}

static inline size_t cgrpc_slice_length(const grpc_slice *slice) {
  return GRPC_SLICE_LENGTH(*slice);
}

static inline const grpc_slice *cgrpc_buffer_slices(const grpc_byte_buffer *buffer) {
  return buffer->data.raw.slice_buffer.slices;
}

static inline size_t cgrpc_buffer_slice_count(const grpc_byte_buffer *buffer) {
  return buffer->data.raw.slice_buffer.count;
}

static inline size_t cgrpc_buffer_length(const grpc_byte_buffer *buffer) {
  return buffer->data.raw.slice_buffer.length;
}

static inline grpc_compression_algorithm cgrpc_buffer_compression(const grpc_byte_buffer *buffer) {
  return buffer->data.raw.compression;
}

// The core keeps two things that its public C headers do not show, behind exported functions for
// its own language bindings: the flags of the message just received, and the encodings the peer
// accepts. They have C++ names. Weak: a build of the library without them still links.
uint32_t cgrpc_core_message_flags(grpc_call *call)
    __asm__("_Z37grpc_call_test_only_get_message_flagsP9grpc_call") __attribute__((weak));
uint32_t cgrpc_core_peer_encodings(grpc_call *call)
    __asm__("_Z50grpc_call_test_only_get_encodings_accepted_by_peerP9grpc_call")
        __attribute__((weak));

/// The bit of the core's message flags that says "the compressed flag was set on the wire"; the
/// same bit makes the core set it when it sends.
enum { CGRPC_WRITE_COMPRESSED = 0x80000000 };

/// Whether the compressed flag was set on the message that the call received last, encoding or
/// not.
static inline int cgrpc_message_was_compressed(grpc_call *call, const grpc_byte_buffer *buffer) {
  if (buffer->data.raw.compression != GRPC_COMPRESS_NONE) return 1;
  return cgrpc_core_message_flags != 0 &&
         (cgrpc_core_message_flags(call) & 0x80000000u) != 0;
}

/// The encodings the peer of a server's call accepts, as bits numbered by
/// grpc_compression_algorithm; only identity when the library does not tell.
static inline uint32_t cgrpc_peer_encodings(grpc_call *call) {
  return cgrpc_core_peer_encodings != 0 ? cgrpc_core_peer_encodings(call)
                                        : 1u << GRPC_COMPRESS_NONE;
}
#endif
