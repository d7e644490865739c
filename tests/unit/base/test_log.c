/* Log lines, caught by putting a file (or a pipe) in the place of stderr. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"
#include "utf8.h"

static const char *volatile nobody; /* NULL, unknown to the compiler */
static int real_stderr;
static FILE *caught;

static int set_up(void **state)
{
    (void)state;
    caught = tmpfile();
    real_stderr = dup(STDERR_FILENO);
    return caught && dup2(fileno(caught), STDERR_FILENO) >= 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    log_setup(LOG_INFO, true);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    return fclose(caught);
}

/* Everything since the last call. */
static const char *lines(void)
{
    static char text[8192];
    rewind(caught);
    size_t n = fread(text, 1, sizeof text - 1, caught);
    text[n] = '\0';
    assert_int_equal(ftruncate(fileno(caught), 0), 0);
    rewind(caught);
    return text;
}

static void json_lines(void **state)
{
    (void)state;
    log_setup(LOG_INFO, true);
    log_event(LOG_WARN, "client_closed",
              "reason=%s none=%s n=%d big=%llu size=%zu neg=%lld ms=%.3f ratio=%.0f", "a \"b\"\n",
              nobody, -7, 9223372036854775807ull, (size_t)3, -5LL, 1.5, 2.0);
    const char *text = lines();
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(line, "event")), "client_closed");
    assert_int_equal(strlen(json_string_value(json_object_get(line, "ts"))),
                     strlen("2026-01-31T12:00:00.123Z"));
    assert_non_null(strstr(text, ",\"reason\":\"a \\\"b\\\"\\u000a\",\"none\":null,\"n\":-7,"
                                 "\"big\":9223372036854775807,\"size\":3,\"neg\":-5,\"ms\":1.500,"
                                 "\"ratio\":2}\n"));
    json_decref(line);
}

static void logfmt_lines(void **state)
{
    (void)state;
    log_setup(LOG_INFO, false);
    log_event(LOG_INFO, "listening", "url=%s odd=%s empty=%s none=%s forged=%s n=%u",
              "http://[::1]:80", "a b", "", nobody, "x\nlevel=error", 5u);
    const char *text = lines();
    assert_non_null(strstr(text, " level=info event=listening url=http://[::1]:80 odd=\"a b\" "
                                 "empty=\"\" none= forged=\"x\\u000alevel=error\" n=5\n"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void questions_are_answered_true_or_false(void **state)
{
    static const struct {
        bool json;
        const char *ends;
    } rows[] = {
        {true,  ",\"up\":true,\"n\":1,\"late\":false,\"last\":true}\n"},
        {false, " up=true n=1 late=false last=true\n"                 },
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        log_setup(LOG_INFO, rows[i].json);
        log_event(LOG_INFO, "e", "up?=%d n=%d late?=%d last?=%d", 1, 1, 0, 7);
        assert_non_null(strstr(lines(), rows[i].ends));
    }
}

static void strings_are_cut(void **state)
{
    char longer[400];
    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    log_setup(LOG_INFO, true);
    log_event(LOG_INFO, "e", "s=%s", longer);
    json_t *line = json_loads(lines(), 0, NULL);
    assert_int_equal(json_string_length(json_object_get(line, "s")), 256);
    json_decref(line);
}

/* Whatever a string holds: one line, of valid UTF-8, with nothing in it that a terminal obeys. */
static void no_byte_forges_a_line(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * 255; i++) {
        char odd[300] = {'a', (char)(i / 2 + 1), 'z', '\0'};
        log_setup(LOG_INFO, i % 2);
        log_event(LOG_INFO, "e", "s=%s", odd);
        const char *text = lines();
        size_t len = strlen(text);
        assert_ptr_equal(strchr(text, '\n'), text + len - 1);
        assert_true(utf8_valid(text, len));
        for (size_t k = 0; k < len - 1; k++)
            if ((unsigned char)text[k] < 0x20 || text[k] == 0x7f)
                fail_msg("byte %d in a log line", text[k]);
        json_t *line = i % 2 ? json_loads(text, 0, NULL) : json_null();
        assert_non_null(line);
        json_decref(line);
    }
    char cut[300] = ""; /* in the middle of a letter of two bytes */
    memset(cut, 'x', 255);
    memcpy(cut + 255, "\xc3\xa9", 3);
    log_setup(LOG_INFO, true);
    log_event(LOG_INFO, "e", "s=%s", cut);
    assert_true(utf8_valid(lines(), strlen(lines())));
}

static void odd_numbers_are_null(void **state)
{
    (void)state;
    log_setup(LOG_INFO, true);
    log_event(LOG_INFO, "e", "a=%f b=%f c=%.2f", strtod("nan", NULL), HUGE_VAL, 0.25);
    assert_non_null(strstr(lines(), "\"a\":null,\"b\":null,\"c\":0.25}"));
}

static void levels_are_filtered(void **state)
{
    enum log_level level = LOG_INFO;
    (void)state;
    log_setup(LOG_WARN, true);
    log_event(LOG_INFO, "quiet", "n=%d", 1);
    assert_string_equal(lines(), "");
    assert_false(log_enabled(LOG_INFO));
    assert_true(log_enabled(LOG_WARN));
    log_event(LOG_ERROR, "loud", "n=%d", 1);
    assert_non_null(strstr(lines(), "\"event\":\"loud\""));
    log_setup(LOG_ERROR, true);
    log_event(LOG_AUDIT, "who", "n=%d", 1);
    assert_non_null(strstr(lines(), "\"level\":\"info\",\"event\":\"who\""));
    assert_int_equal(log_level_parse("error", &level), 0);
    assert_int_equal(level, LOG_ERROR);
    assert_int_equal(log_level_parse("debug", &level), 0);
    assert_int_equal(level, LOG_DEBUG);
    assert_int_equal(log_level_parse("Debug", &level), -1);
    assert_int_equal(log_level_parse("", &level), -1);
    assert_int_equal(level, LOG_DEBUG);
}

static void a_full_pipe_is_not_waited_for(void **state)
{
    int ends[2];
    uint64_t before = log_lines_lost();
    (void)state;
    log_setup(LOG_INFO, true);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    /* Nobody reads: without the check this would block for ever. */
    for (int i = 0; i < 3000 && log_lines_lost() == before; i++)
        log_event(LOG_INFO, "e", "fill=%s", "0123456789012345678901234567890123456789");
    assert_true(log_lines_lost() > before);
    dup2(fileno(caught), STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
}

static void a_full_disk_is_counted(void **state)
{
    uint64_t before = log_lines_lost();
    (void)state;
    log_setup(LOG_INFO, true);
    int fd = open("/dev/full", O_WRONLY);
    assert_true(fd >= 0);
    dup2(fd, STDERR_FILENO);
    log_event(LOG_INFO, "e", "n=%d", 1);
    dup2(fileno(caught), STDERR_FILENO);
    close(fd);
    assert_int_equal(log_lines_lost(), before + 1);
}

/* The disk takes half of a line, and has room again later: that line is lost, no other. */
static void half_a_line_spoils_no_other(void **state)
{
    char text[400] = "";
    struct rlimit before, small;
    uint64_t lost = log_lines_lost();
    (void)state;
    log_setup(LOG_INFO, true);
    FILE *disk = tmpfile();
    assert_non_null(disk);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 20;
    signal(SIGXFSZ, SIG_IGN);
    dup2(fileno(disk), STDERR_FILENO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    log_event(LOG_INFO, "first", "n=%d", 1);
    log_event(LOG_INFO, "second", "n=%d", 2);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    log_event(LOG_INFO, "third", "n=%d", 3);
    log_event(LOG_INFO, "fourth", "n=%d", 4);
    dup2(fileno(caught), STDERR_FILENO);
    assert_int_equal(log_lines_lost(), lost + 2);
    assert_true(pread(fileno(disk), text, sizeof text - 1, 0) > 0);
    fclose(disk);
    assert_int_equal(strcspn(text, "\n"), 20);
    const char *third = text + 21, *fourth = strchr(third, '\n') + 1;
    assert_int_equal(third[0], '{');
    assert_non_null(strstr(third, "\"event\":\"third\",\"n\":3}\n"));
    assert_int_equal(fourth[0], '{');
    assert_non_null(strstr(fourth, "\"event\":\"fourth\",\"n\":4}\n"));
}

static void repetitions_are_counted(void **state)
{
    struct log_limit l = {0};
    unsigned swallowed = 99;
    (void)state;
    assert_true(log_limit_pass(&l, 50, 1000, &swallowed));
    assert_int_equal(swallowed, 0);
    assert_false(log_limit_pass(&l, 51, 1000, &swallowed));
    assert_false(log_limit_pass(&l, 1049, 1000, &swallowed));
    assert_true(log_limit_pass(&l, 1050, 1000, &swallowed));
    assert_int_equal(swallowed, 2);
    assert_true(log_limit_pass(&l, 9000, 1000, &swallowed));
    assert_int_equal(swallowed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(json_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(logfmt_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(questions_are_answered_true_or_false, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strings_are_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(odd_numbers_are_null, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_byte_forges_a_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(levels_are_filtered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_pipe_is_not_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_a_line_spoils_no_other, set_up, tear_down),
        cmocka_unit_test(repetitions_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
