/* config_check.h - the syntax of texts in the configuration.
 *
 * Each takes a text and returns NULL when it is right, else what it must be ("must be ..."), a
 * constant that never repeats the text: it may hold a password. Pure, but for time zones, which are
 * looked up on this machine. */
#ifndef PRICEGATE_CONFIG_CHECK_H
#define PRICEGATE_CONFIG_CHECK_H

const char *config_check_base_url(const char *s);  /* http(s)://host[:port], one "/" may follow */
const char *config_check_category(const char *s);  /* [a-z][a-z0-9_]* */
const char *config_check_cidr(const char *s);      /* 10.0.0.0/8, fd00::/8, unix: */
const char *config_check_currency(const char *s);  /* 2 to 7 letters or digits */
const char *config_check_host(const char *s);      /* what one listens on (listen_host.h) */
const char *config_check_hours(const char *s);     /* Mon-Fri 09:30-16:00 */
const char *config_check_mail_url(const char *s);  /* smtp(s)://host[:port] */
const char *config_check_mailbox(const char *s);   /* name@host, ASCII */
const char *config_check_origin(const char *s);    /* scheme://host[:port] as browsers write it */
const char *config_check_redis_url(const char *s); /* "", redis[s]://..., unix:///... */
const char *config_check_sha256(const char *s);    /* 64 hex digits */
const char *config_check_symbol(const char *s);
const char *config_check_pattern(const char *s);     /* or one with a * at its end */
const char *config_check_time_of_day(const char *s); /* HH:MM, 00:00 to 23:59 */
const char *config_check_timezone(const char *s);    /* a zone of this machine (zone.h) */

const char *config_check_webhook_url(const char *s); /* http(s)://host[:port][/path][?query] */

#endif
