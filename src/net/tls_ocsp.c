/* The stapled OCSP response, in k6's words. */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <time.h>

#include "base/check.h"
#include "net/tls_internal.h"

static int64_t unix_s(const ASN1_GENERALIZEDTIME *t) {
    struct tm tm;
    return t && ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) : 0;
}

static const char *reason_text(int reason) {
    static const char *const reasons[] = {
        "unspecified",     "key_compromise",         "ca_compromise",    "affiliation_changed",
        "superseded",      "cessation_of_operation", "certificate_hold", "",
        "remove_from_crl", "privilege_withdrawn",    "aa_compromise",
    };
    return reason >= 0 && (size_t)reason < countof(reasons) ? reasons[reason] : "";
}

static bool basic_parse(OCSP_BASICRESP *basic, struct tls_ocsp *out) {
    if (OCSP_resp_count(basic) < 1)
        return false;
    ASN1_GENERALIZEDTIME *revoked_at = NULL, *this_update = NULL, *next_update = NULL;
    int reason = 0;
    int status = OCSP_single_get0_status(OCSP_resp_get0(basic, 0), &reason, &revoked_at,
                                         &this_update, &next_update);
    out->status = status == V_OCSP_CERTSTATUS_GOOD      ? "good"
                  : status == V_OCSP_CERTSTATUS_REVOKED ? "revoked"
                                                        : "unknown";
    out->revocation_reason = reason_text(status == V_OCSP_CERTSTATUS_REVOKED ? reason : 0);
    out->produced_at = unix_s(OCSP_resp_get0_produced_at(basic));
    out->this_update = unix_s(this_update);
    out->next_update = unix_s(next_update);
    out->revoked_at = unix_s(revoked_at);
    return true;
}

bool tls_ocsp_parse(SSL *ssl, struct tls_ocsp *out) {
    *out = (struct tls_ocsp){.status = "unknown", .revocation_reason = ""};
    const unsigned char *der;
    long bytes = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
    if (bytes <= 0)
        return false;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &der, bytes);
    OCSP_BASICRESP *basic = NULL;
    bool is_ok = false;
    if (response && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
        basic = OCSP_response_get1_basic(response);
    if (basic)
        is_ok = basic_parse(basic, out);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return is_ok;
}
