// SPDX-License-Identifier: Apache-2.0
/** Build contexts of the cases, made anew so that no engine has seen their content. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";

/** Writes a Dockerfile of these lines and returns its folder. */
export function writeContext(folder: string, lines: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "Dockerfile"), `${lines.join("\n")}\n`);
  return folder;
}

/** A small application with a Dockerfile of ten instructions. */
export function writeApplication(folder: string, base: string): string {
  writeContext(folder, [
    `FROM ${base}`,
    "LABEL org.opencontainers.image.title=bench",
    "ENV MODE=production",
    "WORKDIR /app",
    "RUN mkdir -p /app/data",
    "COPY requirements.txt .",
    "RUN cat requirements.txt > installed.txt",
    "COPY lib lib",
    "COPY app.py .",
    'CMD ["cat", "app.py"]',
  ]);
  mkdirSync(join(folder, "lib"), { recursive: true });
  for (let index = 0; index < 50; index += 1) {
    writeFileSync(join(folder, "lib", `module${index}.py`), `VALUE = ${index}\n`.repeat(100));
  }
  writeFileSync(join(folder, "requirements.txt"), "numpy==2.1.0\n");
  return changeApplication(folder, 0);
}

/** Changes one line of the application. */
export function changeApplication(folder: string, round: number): string {
  const lines = Array.from({ length: 200 }, (_, index) => `print("line ${index}")`);
  writeFileSync(join(folder, "app.py"), [...lines, `print("round ${round} ${Date.now()}")`, ""].join("\n"));
  return folder;
}

/** `count` files of about 4 kB in folders of 100, with content of this call. */
export function writeFiles(folder: string, count: number): string {
  writeContext(folder, ["FROM scratch", "COPY files /files", 'CMD ["/none"]']);
  const salt = randomBytes(8).toString("hex");
  for (let index = 0; index < count; index += 1) {
    const directory = join(folder, "files", `d${Math.floor(index / 100)}`);
    if (index % 100 === 0) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `f${index}`), `${salt} ${index}\n`.repeat(50 + (index % 250)));
  }
  return folder;
}

/** One file of `megabytes` that does not compress. */
export function writeBigFile(folder: string, megabytes: number): string {
  writeContext(folder, ["FROM scratch", "COPY big /big", 'CMD ["/none"]']);
  const file = openSync(join(folder, "big"), "w");
  const piece = randomBytes(2 ** 20);
  for (let written = 0; written < megabytes; written += 1) {
    piece.writeUInt32LE(written, 0);
    writeSync(file, piece);
  }
  closeSync(file);
  return folder;
}
