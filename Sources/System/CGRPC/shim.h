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
#endif
