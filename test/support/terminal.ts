// SPDX-License-Identifier: Apache-2.0
/* A program in a terminal with somebody who types. */
import { spawnSync } from "node:child_process";
import type { Outcome, ProgramWorld } from "./program.ts";

/** What has to be seen before something is typed. */
export type TypingStep = readonly [seen: string, typed: string];

const DRIVER = `
import fcntl, json, os, pty, select, struct, sys, termios, time
steps = json.loads(sys.argv[1])
ready, go = os.pipe()
pid, fd = pty.fork()
if pid == 0:
    os.read(ready, 1)
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
os.write(go, b".")
end = time.time() + 60
seen = b""
while time.time() < end:
    if not select.select([fd], [], [], 0.5)[0]:
        continue
    try: data = os.read(fd, 4096)
    except OSError: break
    if not data: break
    sys.stdout.buffer.write(data); sys.stdout.flush()
    seen += data
    while steps and steps[0][0].encode() in seen:
        seen = seen[seen.index(steps[0][0].encode()) + len(steps[0][0].encode()):]
        os.write(fd, steps.pop(0)[1].encode())
else:
    os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
`;

/** Runs a program in a terminal of 33 rows and 111 columns, and types each text once what stands before it was printed. */
export function inTerminal(world: ProgramWorld, words: readonly string[], steps: readonly TypingStep[]): Outcome {
  const { status, stdout, stderr } = spawnSync("python3", ["-c", DRIVER, JSON.stringify(steps), ...words], {
    env: world.env,
    cwd: world.folder,
    encoding: "utf8",
  });
  return { code: status ?? 128, out: stdout, err: stderr };
}
