// SPDX-License-Identifier: Apache-2.0
// A process of its own for NVML: `node nvml.worker.ts LIBRARY`. A line on the standard input is a question, a line of
// JSON on descriptor 3 its answer. A broken library ends or hangs this process and no other.
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { linux, messageOf } from "../../base/index.ts";
import { loadNvml } from "./library.ts";
import type { NvmlLibrary } from "./library.ts";
import { NvmlFailure, initialise, readReport } from "./read-report.ts";
import type { NvmlAnswer } from "./types.ts";

const ANSWERS = 3;
const SIGKILL = 9;

let library: NvmlLibrary | undefined;
createInterface({ input: process.stdin }).on("line", (line) => {
  writeSync(ANSWERS, `${JSON.stringify(answer(line === "use" ? "use" : "report"))}\n`);
});

function answer(question: "use" | "report"): NvmlAnswer {
  try {
    return { kind: "report", report: readReport((library ??= open()), question) };
  } catch (error) {
    if (!(error instanceof NvmlFailure)) return { kind: "error", during: "load", message: messageOf(error) };
    const { during, code, message } = error;
    return { kind: "error", during, code, message };
  }
}

function open(): NvmlLibrary {
  // A call that hangs does not see the end of the standard input.
  linux.setParentDeathSignal(SIGKILL);
  const loaded = loadNvml(process.argv[2] ?? "");
  initialise(loaded);
  return loaded;
}
