#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/check.h"
#include "net/tls_internal.h"

static const struct {
    int alert;
    const char *text;
} alerts[] = {
    {10, "unexpected message"},
    {20, "bad record MAC"},
    {21, "decryption failed"},
    {22, "record overflow"},
    {30, "decompression failure"},
    {40, "handshake failure"},
    {42, "bad certificate"},
    {43, "unsupported certificate"},
    {44, "revoked certificate"},
    {45, "expired certificate"},
    {46, "unknown certificate"},
    {47, "illegal parameter"},
    {48, "unknown certificate authority"},
    {49, "access denied"},
    {50, "error decoding message"},
    {51, "error decrypting message"},
    {60, "export restriction"},
    {70, "protocol version not supported"},
    {71, "insufficient security level"},
    {80, "internal error"},
    {86, "inappropriate fallback"},
    {90, "user canceled"},
    {100, "no renegotiation"},
    {109, "missing extension"},
    {110, "unsupported extension"},
    {111, "certificate unobtainable"},
    {112, "unrecognized name"},
    {113, "bad certificate status response"},
    {114, "bad certificate hash value"},
    {115, "unknown PSK identity"},
    {116, "certificate required"},
    {120, "no application protocol"},
};

const char *tls_alert_text(int alert) {
    for (size_t i = 0; i < countof(alerts); i++) {
        if (alerts[i].alert == alert)
            return alerts[i].text;
    }
    return NULL;
}

int tls_error_from_queue(struct error *err) {
    unsigned long code = ERR_get_error();
    ERR_clear_error();
    int reason = ERR_GET_REASON(code);
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET) {
        const char *text = tls_alert_text(reason - SSL_AD_REASON_OFFSET);
        if (text)
            return error_set(err, KE_NET, "remote error: tls: %s", text);
        return error_set(err, KE_NET, "remote error: tls: alert(%d)",
                         reason - SSL_AD_REASON_OFFSET);
    }
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason == SSL_R_UNSUPPORTED_PROTOCOL)
        return error_set(err, KE_FAILED, "tls: server selected unsupported protocol version");
    const char *text = ERR_reason_error_string(code);
    return error_set(err, KE_FAILED, "tls: %s", text ? text : "internal error");
}
