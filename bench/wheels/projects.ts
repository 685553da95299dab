// SPDX-License-Identifier: Apache-2.0
/** The project that is built, as each engine wants it: for Tare a lock, for the others a Dockerfile with requirements. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Pin, WheelSet } from "./sets.ts";
import { wheelsOf } from "./wheels.ts";
import type { WheelFacts } from "./wheels.ts";

/** What the projects of a run share. */
export interface Materials {
  readonly set: WheelSet;
  readonly facts: readonly WheelFacts[];
  readonly indexUrl: string;
  /** Name of the base image, the same in all stores and at the registry. */
  readonly base: string;
}

/** A project at one moment. */
export interface ProjectState {
  readonly pins: readonly Pin[];
  /** Makes the requirements' content new, so that nothing of an earlier round is remembered. */
  readonly salt: string;
  /** Of the application's own code. */
  readonly revision: number;
}

/** Writes a project. */
export type ProjectWriter = (materials: Materials, folder: string, state: ProjectState) => void;

/** How a Dockerfile installs. */
export const INSTALL = {
  uvPlain:
    "UV_DEFAULT_INDEX=$PIP_INDEX_URL uv pip install --system --break-system-packages --no-cache --no-deps -r requirements.txt",
  pip: "pip install --no-cache-dir --no-deps -r requirements.txt",
  pipCache: "--mount=type=cache,target=/root/.cache/pip pip install --no-deps -r requirements.txt",
  uvCache:
    "--mount=type=cache,target=/root/.cache/uv UV_LINK_MODE=copy UV_DEFAULT_INDEX=$PIP_INDEX_URL uv pip install --system --break-system-packages --no-deps -r requirements.txt",
} as const;

/** A project with a lock and no Dockerfile. */
export function writeLocked({ facts, indexUrl, base }: Materials, folder: string, state: ProjectState): void {
  writeApplication(folder, state);
  writeFileSync(join(folder, "tare.toml"), `base = "${base}"\ncommand = ["python", "app.py"]\nuser = "root"\n`);
  const packages = wheelsOf(facts, state.pins).map(({ fileName, name, version, sha256, size }) =>
    [
      "",
      "[[packages]]",
      `name = "${name}"`,
      `version = "${version}"`,
      "[[packages.wheels]]",
      `url = "${indexUrl}/files/${fileName}"`,
      `size = ${size}`,
      `hashes = { sha256 = "${sha256}" }`,
    ].join("\n"),
  );
  const head = [`# ${state.salt}`, 'lock-version = "1.0"', 'created-by = "bench"'];
  writeFileSync(join(folder, "pylock.toml"), `${[...head, ...packages].join("\n")}\n`);
}

/** A project with a Dockerfile whose RUN installs the requirements. */
export function dockerfileWriter(install: string): ProjectWriter {
  return ({ base }, folder, state) => {
    writeApplication(folder, state);
    const pins = state.pins.map(({ name, version }) => `${name}==${version}`);
    writeFileSync(join(folder, "requirements.txt"), `${[`# ${state.salt}`, ...pins].join("\n")}\n`);
    const lines = [
      `FROM ${base}`,
      "ARG PIP_INDEX_URL",
      "WORKDIR /app",
      "COPY requirements.txt ./",
      `RUN ${install}`,
      "COPY app.py ./",
      'CMD ["python", "app.py"]',
    ];
    writeFileSync(join(folder, "Dockerfile"), `${lines.join("\n")}\n`);
  };
}

function writeApplication(folder: string, { revision, salt }: ProjectState): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "app.py"), `print("revision ${revision} of ${salt}")\n`);
}
