/* Of the options:
 *   - CURLOPT_QUICK_EXIT: without it curl waits for the resolver's thread when a transfer ends
 *     during a dead name look-up, 7 s.
 *   - the error buffer is used only for names, connections and certificates, where it holds a host
 *     name at most. All other sentences are curl's fixed texts.
 *   - no folder of certificates: curl keeps the ones it trusts for a day (CURLOPT_CA_CACHE_TIMEOUT)
 *     only where they come from a single file. Reading Debian's 140 takes 20 ms, each time.
 *   - a loopback address is never asked through a proxy. */
#include "transfer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

static char *copy_env(const char *first, const char *second)
{
    const char *s = getenv(first);
    if ((!s || !*s) && second)
        s = getenv(second);
    return s && *s ? strdup(s) : NULL;
}

/* curl would read no_proxy itself, were CURLOPT_NOPROXY not set. */
static char *make_no_proxy(void)
{
    struct buf b = {0};
    char *given = copy_env("no_proxy", "NO_PROXY");
    if (given)
        buf_addf(&b, "%s,", given);
    buf_adds(&b, "localhost,127.0.0.1,::1");
    free(given);
    return buf_take(&b, NULL);
}

int transfer_setup_init(struct transfer_setup *s, struct err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, "cannot prepare libcurl");
    s->ca_file = copy_env("SSL_CERT_FILE", "CURL_CA_BUNDLE");
    s->no_proxy = make_no_proxy();
    return 0;
}

void transfer_setup_fini(struct transfer_setup *s)
{
    free(s->ca_file);
    free(s->no_proxy);
    curl_global_cleanup();
}

CURL *transfer_new(const struct transfer_setup *s, int64_t timeout_ms, char *words)
{
    CURL *e = curl_easy_init();
    if (!e)
        return NULL;
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(timeout_ms / 2));
    curl_easy_setopt(e, CURLOPT_NOPROXY, s->no_proxy);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, words);
    curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
    if (s->ca_file)
        curl_easy_setopt(e, CURLOPT_CAINFO, s->ca_file);
    return e;
}

static const struct {
    CURLcode code;
    enum failure failure;
    bool say_more; /* the error buffer may be shown */
} causes[] = {
    {CURLE_COULDNT_RESOLVE_HOST,     FAIL_DNS,     true },
    {CURLE_COULDNT_RESOLVE_PROXY,    FAIL_DNS,     true },
    {CURLE_COULDNT_CONNECT,          FAIL_CONNECT, true },
    {CURLE_OPERATION_TIMEDOUT,       FAIL_TIMEOUT, false},
    {CURLE_SSL_CONNECT_ERROR,        FAIL_TLS,     true },
    {CURLE_PEER_FAILED_VERIFICATION, FAIL_TLS,     true },
    {CURLE_SSL_CACERT_BADFILE,       FAIL_TLS,     true },
    {CURLE_SSL_CERTPROBLEM,          FAIL_TLS,     true },
    {CURLE_SSL_CIPHER,               FAIL_TLS,     true },
    {CURLE_SSL_ISSUER_ERROR,         FAIL_TLS,     true },
    {CURLE_SSL_INVALIDCERTSTATUS,    FAIL_TLS,     true },
};

/* Still looking for the address when the time was over? */
static bool name_unknown(CURL *easy)
{
    curl_off_t looked_up_us = 0;
    char *address = NULL;
    curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &looked_up_us);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
    return looked_up_us == 0 && (!address || !*address);
}

enum failure transfer_explain(CURL *easy, CURLcode code, const char *words, struct err *detail)
{
    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        if (causes[i].code != code)
            continue;
        bool more = causes[i].say_more && words[0];
        err_set(detail, "%s", more ? words : curl_easy_strerror(code));
        if (code == CURLE_OPERATION_TIMEDOUT && name_unknown(easy))
            return FAIL_DNS;
        return causes[i].failure;
    }
    return FAIL_NONE;
}
