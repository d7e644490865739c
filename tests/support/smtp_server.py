"""A real mail server for tests: aiosmtpd, with STARTTLS or TLS from the first byte, and a login.

Says what happens as lines of JSON on stdout: {"port"} first, then {"mail": {from, to, data, tls,
login}} for each mail it has taken, {"refused"} for each login it has not. Ends with its stdin.
Settings: one argument of JSON (see mail.js).
"""
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

want = json.loads(sys.argv[1])


def say(**what):
    print(json.dumps(what), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if want.get("refuse") and address in want.get("refused", [address]):
            return want["refuse"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        say(mail={
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": envelope.original_content.decode("latin-1"),
            "tls": session.ssl is not None or bool(want.get("implicit")),
            "login": bool(session.authenticated),
        })
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = (isinstance(data, LoginPassword) and data.login.decode() == want["user"]
            and data.password.decode() == want["password"])
    if not good:
        say(refused=mechanism)
        return AuthResult(success=False, handled=False)
    return AuthResult(success=True, auth_data=data.login)


async def main():
    context = None
    if want.get("cert"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(want["cert"], want["key"])
    starttls = context if not want.get("implicit") and want.get("starttls", True) else None
    login = bool(want.get("user"))

    def protocol():
        return SMTP(
            Handler(), hostname="mail.test", tls_context=starttls, require_starttls=bool(starttls),
            authenticator=authenticate if login else None, auth_required=login,
            auth_require_tls=bool(context) and not want.get("implicit"),
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        protocol, "127.0.0.1", want.get("port", 0), ssl=context if want.get("implicit") else None)
    say(port=server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
