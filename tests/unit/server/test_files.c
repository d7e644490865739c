/* The page from a folder, and nothing beside it. */
#include "server_group.h"

#include <sys/stat.h>

#define OPEN_CONFIG "{\"listen\":{\"port\":0}," RIG_INSTRUMENTS "}"

static int start(void **state)
{
    return start_group(state, OPEN_CONFIG);
}

static void no_path_leads_out(void **state)
{
    static const char *const paths[] = {
        "/../CMakeLists.txt", "/..%2fCMakeLists.txt", "/%2e%2e/main.c",  "//etc/passwd",
        "/..\\x.js",          "/.git/config",         "/web/index.html", "/index.html%00.js"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct reply r;
        char text[256];
        int fd = dial(port_of(state));
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", paths[i]);
        send_text(fd, text);
        if (read_reply(fd, false, &r) && r.status < 400)
            fail_msg("%s: %d", paths[i], r.status);
        close(fd);
        reply_fini(&r);
    }
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Whatever the folder holds: it describes the program. */
static void the_contract_is_served(int port)
{
    static const struct {
        const char *path, *type, *holds;
    } cases[] = {
        {"/openapi.json",  "application/json",               "\"openapi\": \"3.1" },
        {"/asyncapi.json", "application/json",               "\"asyncapi\": \"3.0"},
        {"/docs",          "text/html; charset=utf-8",       "<!DOCTYPE html>"    },
        {"/docs/main.js",  "text/javascript; charset=utf-8", "import"             },
    };
    char value[64];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reply r = ask(port, "GET", cases[i].path, "");
        assert_int_equal(r.status, 200);
        assert_true(reply_header(&r, "Content-Type", value, sizeof value));
        assert_string_equal(value, cases[i].type);
        assert_non_null(strstr(r.body.p, cases[i].holds));
        reply_fini(&r);
    }
    struct reply r = ask(port, "GET", "/docs/", "");
    assert_int_equal(r.status, 308);
    assert_true(reply_header(&r, "Location", value, sizeof value));
    assert_string_equal(value, "../docs");
    reply_fini(&r);
}

static void a_web_root_is_served_and_not_left(void **state)
{
    (void)state;
    char folder[] = "/tmp/pricegate-web-XXXXXX", config[2048], path[512], value[64];
    assert_non_null(mkdtemp(folder));
    write_file(folder, "index.html", "<!doctype html><title>own</title>");
    write_file(folder, "own.js", "export {};");
    write_file(folder, "openapi.json", "{}");
    write_file(folder, "own.sh", "exit 1");
    snprintf(path, sizeof path, "%s/out.txt", folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/up", folder);
    assert_int_equal(symlink("/etc", path), 0);
    snprintf(config, sizeof config,
             "{\"listen\":{\"port\":0,\"web_root\":\"%s\"}," RIG_INSTRUMENTS "}", folder);
    struct served s = start_server(config);
    struct reply r = ask(s.port, "GET", "/", "");
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body.p, "own"));
    assert_true(reply_header(&r, "Content-Type", value, sizeof value));
    assert_string_equal(value, "text/html; charset=utf-8");
    assert_true(reply_header(&r, "ETag", value, sizeof value));
    reply_fini(&r);
    assert_int_equal(ask_status(s.port, "GET", "/own.js", ""), 200);
    assert_int_equal(ask_status(s.port, "GET", "/own.sh", ""), 404);
    assert_int_equal(ask_status(s.port, "GET", "/out.txt", ""), 404);
    assert_int_equal(ask_status(s.port, "GET", "/up/hostname.txt", ""), 404);
    assert_int_equal(ask_status(s.port, "GET", "/app.js", ""), 404);
    the_contract_is_served(s.port);
    stop_server(&s);
    static const char *const names[] = {"index.html", "own.js", "own.sh",
                                        "out.txt",    "up",     "openapi.json"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_path_leads_out),
        cmocka_unit_test(a_web_root_is_served_and_not_left),
    };
    return cmocka_run_group_tests(tests, start, stop_group);
}
