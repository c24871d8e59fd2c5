#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H
#include <features.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#endif
