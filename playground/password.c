#include "password.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/check.h"

#define COST 10 /* QuickPizza's: 2 to the power of it rounds */

bool password_is_valid(struct slice password) {
    return password.len <= PASSWORD_MAX_BYTES && memchr(password.ptr, '\0', password.len) == NULL;
}

static void crypt_text(struct slice password, const char *setting, char out[CRYPT_OUTPUT_SIZE]) {
    char phrase[PASSWORD_MAX_BYTES + 1];
    CHECK(password_is_valid(password));
    memcpy(phrase, password.ptr, password.len);
    phrase[password.len] = '\0';
    struct crypt_data *data = xcalloc(1, sizeof *data);
    const char *text = crypt_r(phrase, setting, data);
    snprintf(out, CRYPT_OUTPUT_SIZE, "%s", text != NULL ? text : "*");
    OPENSSL_cleanse(phrase, sizeof phrase);
    OPENSSL_cleanse(data, sizeof *data);
    free(data);
}

void password_hash(struct slice password, char out[PASSWORD_HASH_BYTES]) {
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    char hash[CRYPT_OUTPUT_SIZE];
    CHECK(crypt_gensalt_rn("$2b$", COST, NULL, 0, setting, sizeof setting) != NULL);
    crypt_text(password, setting, hash);
    CHECK(strlen(hash) == PASSWORD_HASH_BYTES - 1);
    memcpy(out, hash, PASSWORD_HASH_BYTES);
}

bool password_is_hash(const char *stored) {
    return strncmp(stored, "$2", 2) == 0;
}

bool password_matches(struct slice password, const char *stored) {
    char hash[CRYPT_OUTPUT_SIZE];
    if (!password_is_hash(stored))
        return slice_eq(password, slice_cstr(stored));
    if (!password_is_valid(password))
        return false;
    crypt_text(password, stored, hash);
    const size_t size = strlen(stored);
    return strlen(hash) == size && CRYPTO_memcmp(hash, stored, size) == 0;
}
