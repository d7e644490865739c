#include "wsproto.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

int ws_frame_read(struct ws_frame *f, const unsigned char *bytes, size_t len)
{
    if (len < 2)
        return 0;
    size_t payload = bytes[1] & 0x7f, header = 2;
    size_t wide = payload == 126 ? 2 : payload == 127 ? 8 : 0;
    size_t mask = bytes[1] & 0x80 ? 4 : 0;
    if (len < header + wide + mask)
        return 0;
    if (wide > 0)
        payload = 0;
    for (size_t i = 0; i < wide; i++)
        payload = payload << 8 | bytes[header + i];
    header += wide + mask;
    if (payload > len - header)
        return 0;
    *f = (struct ws_frame){.opcode = bytes[0] & 0x0f,
                           .compressed = bytes[0] & 0x40,
                           .payload = bytes + header,
                           .len = payload,
                           .total = header + payload};
    memcpy(f->mask, bytes + header - mask, mask);
    return 1;
}

size_t ws_header_server(unsigned char out[WS_HEADER_MAX], int opcode, size_t len)
{
    size_t wide = len < 126 ? 0 : len <= 0xffff ? 2 : 8;
    out[0] = (unsigned char)(0x80 | opcode);
    out[1] = (unsigned char)(wide == 0 ? len : wide == 2 ? 126 : 127);
    for (size_t i = 0; i < wide; i++)
        out[2 + i] = (unsigned char)(len >> (8 * (wide - 1 - i)));
    return 2 + wide;
}

size_t ws_header_client(unsigned char out[WS_HEADER_MAX], int opcode, size_t len)
{
    size_t n = ws_header_server(out, opcode, len);
    out[1] |= 0x80;
    memset(out + n, 0, 4);
    return n + 4;
}

void ws_accept_value(char out[WS_ACCEPT_MAX], const char *key, size_t key_len)
{
    char text[128];
    unsigned char digest[SHA_DIGEST_LENGTH];
    int n =
        snprintf(text, sizeof text, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", (int)key_len, key);
    SHA1((unsigned char *)text, n < (int)sizeof text ? (size_t)n : sizeof text - 1, digest);
    EVP_EncodeBlock((unsigned char *)out, digest, sizeof digest);
}
