"""A mail server for scripts/fuzz-api.py that takes everything, and gives the secrets in the links."""

import re
import socketserver
import threading


class Sink(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Session)
        self.mails = []
        self.arrived = threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def secret(self, address, path):
        """The secret of the link below `path` in a mail to the address, which is waited for."""
        found = None

        def look():
            nonlocal found
            links = [re.search(rf"/{path}\S*?([\w-]{{20,}})", text) for to, text in self.mails if address in to]
            found = next((link.group(1) for link in reversed(links) if link), None)
            return found

        with self.arrived:
            if not self.arrived.wait_for(look, 20):
                raise SystemExit(f"fuzz-api: no mail with a link to {path} came to {address}: {self.mails}")
        return found


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 sink")
        to = ""
        while line := self.rfile.readline():
            command = line.decode(errors="replace").strip()
            word = command.upper()
            if word.startswith("EHLO"):
                self.say("250-sink\r\n250 AUTH PLAIN LOGIN")
            elif word.startswith("AUTH"):
                self.say("235 welcome") if len(command.split()) > 2 else self.converse()
            elif word.startswith("RCPT"):
                to += command
                self.say("250 yes")
            elif word == "DATA":
                self.say("354 go on")
                text = b""
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    text += part
                with self.server.arrived:
                    # Long lines are folded as quoted-printable.
                    self.server.mails.append((to, text.decode(errors="replace").replace("=\r\n", "").replace("=3D", "=")))
                    self.server.arrived.notify_all()
                to = ""
                self.say("250 kept")
            elif word == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 yes")

    def converse(self):
        """AUTH LOGIN or PLAIN without an initial response."""
        for _ in range(2):
            self.say("334 ")
            if len(self.rfile.readline()) > 40:
                break
        self.say("235 welcome")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")
