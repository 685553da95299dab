// SPDX-License-Identifier: Apache-2.0
/** Signals that end a command, with their numbers. */
const ENDING = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
/** Signals that a foreground container gets, as Docker's `--sig-proxy`. SIGCHLD, SIGPIPE and those of Node and of the
 * terminal (SIGWINCH, SIGTSTP) stay here. */
const FORWARDED: readonly NodeJS.Signals[] = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR2",
  "SIGALRM",
  "SIGCONT",
];

/** Turns signals of this process into an abort, or hands them on. */
export class Signals {
  readonly #controller = new AbortController();
  #received: keyof typeof ENDING | undefined;

  constructor() {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, this.#end);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** 128 plus the number of the signal that ended the command, or undefined. */
  get exitCode(): number | undefined {
    return this.#received === undefined ? undefined : 128 + ENDING[this.#received];
  }

  /** Hands signals to `listener` and none to the abort, until the result is called. */
  forward(listener: (signal: NodeJS.Signals) => void): () => void {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(name, this.#end);
    for (const name of FORWARDED) process.on(name, listener);
    return () => {
      for (const name of FORWARDED) process.off(name, listener);
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, this.#end);
    };
  }

  /** Stops listening. */
  close(): void {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(name, this.#end);
  }

  /** The first signal asks the work to stop; the second does not wait for it. */
  readonly #end = (name: NodeJS.Signals): void => {
    if (this.#received !== undefined) process.exit(this.exitCode);
    if (name === "SIGINT" || name === "SIGTERM" || name === "SIGHUP") this.#received = name;
    this.#controller.abort();
  };
}
