/* role.h - who may do what: each role includes the ones before it. */
#ifndef PRICEGATE_ROLE_H
#define PRICEGATE_ROLE_H

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_ANALYST, ROLE_ADMIN };

const char *role_name(enum role r); /* "none" "viewer" "analyst" "admin" */
int role_parse(const char *name);   /* ROLE_VIEWER.. ROLE_ADMIN, or -1 */

#endif
