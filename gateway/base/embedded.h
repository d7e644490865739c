/* embedded.h - files compiled into the program (gateway/config/embed.cmake makes the table). */
#ifndef PRICEGATE_EMBEDDED_H
#define PRICEGATE_EMBEDDED_H

struct embedded_file {
    const char *path;  /* as in the source tree: "web/index.html"; NULL ends the table */
    const char *begin; /* a NUL follows the last byte */
    const char *end;
    const char *gzip; /* the same compressed, of the files below web/; NULL of others */
    const char *gzip_end;
};

extern const struct embedded_file embedded_files[];

#endif
