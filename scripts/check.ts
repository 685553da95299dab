// SPDX-License-Identifier: Apache-2.0
/**
 * Runs the project's checks and tests: `node scripts/check.ts all`, `quick`, or names of steps (`lint unit`).
 * Each check counts as one test; the tests' own counts come from vitest's JSON reports in `.cache/tests/`.
 * The last line is `N passed, N failed, N skipped`; the exit status is 1 when something failed.
 *
 * With CI=true a test may be skipped only for a reason that `test/expected-skips.json` lists; others count as failed.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Step {
  readonly name: string;
  /** Words of a command; for a test project the ones after `vitest run`. */
  readonly command: readonly string[];
  readonly tests?: boolean;
}

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      /** Also of a first try that failed before one that passed. */
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

interface ExpectedSkip {
  /** Regular expression over `file > full name`. */
  readonly test: string;
  readonly reason: string;
}

const root = resolve(import.meta.dirname, "..");
const reports = join(root, ".cache/tests");

const STEPS: readonly Step[] = [
  { name: "format", command: ["npm", "run", "--silent", "format:check"] },
  { name: "lint", command: ["npm", "run", "--silent", "lint"] },
  { name: "types", command: ["npm", "run", "--silent", "typecheck"] },
  { name: "unused", command: ["npm", "run", "--silent", "unused"] },
  { name: "assembly", command: ["npm", "run", "--silent", "assembly:check"] },
  { name: "build", command: ["npm", "run", "--silent", "build"] },
  { name: "docs", command: ["npm", "run", "--silent", "docs:check"] },
  { name: "unit", command: ["--project", "unit", "--maxWorkers=2"], tests: true },
  // These share daemons, cgroups and the package archive: one file after the other.
  { name: "e2e", command: ["--project", "e2e", "--no-file-parallelism"], tests: true },
  { name: "conformance", command: ["--project", "conformance", "--no-file-parallelism"], tests: true },
];
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  all: STEPS.map((step) => step.name),
  quick: ["format", "lint", "types", "unused", "assembly", "build", "docs", "unit"],
};

function chosenSteps(words: readonly string[]): readonly Step[] {
  const names = words.flatMap((word) => GROUPS[word] ?? [word]);
  const unknown = names.find((name) => !STEPS.some((step) => step.name === name));
  if (names.length > 0 && unknown === undefined) return STEPS.filter((step) => names.includes(step.name));
  process.stderr.write(`usage: node scripts/check.ts ${[...Object.keys(GROUPS), "STEP…"].join(" | ")}\n`);
  process.stderr.write(`steps: ${STEPS.map((step) => step.name).join(", ")}\n`);
  process.exit(2);
}

function runStep(step: Step): Counts {
  const started = performance.now();
  process.stdout.write(`== ${step.name}\n`);
  const counts = step.tests === true ? runTests(step) : runCheck(step);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`== ${step.name}: ${summary(counts)} in ${seconds} s\n`);
  return counts;
}

function runCheck({ command: [program = "", ...words] }: Step): Counts {
  const { status } = spawnSync(program, words, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  return status === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

function runTests({ name, command }: Step): Counts {
  const file = join(reports, `${name}.json`);
  rmSync(file, { force: true });
  const words = ["run", ...command, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const { status } = spawnSync(process.execPath, [vitest, ...words], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const counts = countReport(file);
  // vitest fails without a failed test where an error escaped all of them.
  if (status !== 0 && counts.failed === 0) {
    counts.failed = 1;
    remarks.push(`${name}: vitest ended with ${String(status)}, and no test failed: an error escaped`);
  }
  return counts;
}

function countReport(file: string): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, status, message, assertionResults } of readReport(file)?.testResults ?? []) {
    if (status === "failed" && !assertionResults.some((test) => test.status === "failed")) {
      counts.failed += 1;
      remarks.push(`failed: ${relative(root, name)}: ${shortened(message)}`);
    }
    for (const { status: ended, fullName, failureMessages = [] } of assertionResults) {
      const title = `${relative(root, name)} > ${fullName}`;
      counts[outcomeOf(ended, title)] += 1;
      if (failureMessages.length === 0) continue;
      const how = ended === "failed" ? "failed" : "passed on the second try";
      remarks.push(`${how}: ${title}: ${shortened(failureMessages[0] ?? "")}`);
    }
  }
  return counts;
}

/** The first lines of a message, as one: the whole of it stands above, where a log of the end alone may not reach. */
function shortened(message: string): string {
  return message.split("\n").slice(0, 4).join(" | ").slice(0, 600);
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    process.stdout.write(`no report of the tests in ${file}\n`);
    return undefined;
  }
}

function outcomeOf(status: string, title: string): keyof Counts {
  if (status === "passed" || status === "failed") return status;
  const expected = expectedSkips.find((entry) => new RegExp(entry.test).test(title));
  if (expected !== undefined || process.env["CI"] !== "true") return "skipped";
  process.stdout.write(`skipped, which test/expected-skips.json does not expect: ${title}\n`);
  return "failed";
}

function summary({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function total(all: readonly Counts[]): Counts {
  const sum = (key: keyof Counts): number => all.reduce((count, counts) => count + counts[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

/** What is said once more at the end. */
const remarks: string[] = [];
const expectedSkips = JSON.parse(
  readFileSync(join(root, "test/expected-skips.json"), "utf8"),
) as readonly ExpectedSkip[];
const steps = chosenSteps(process.argv.slice(2));
mkdirSync(reports, { recursive: true });
process.env["PATH"] = `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
const results = steps.map(runStep);
for (const remark of remarks) process.stdout.write(`${remark}\n`);
for (const [index, step] of steps.entries()) {
  if ((results[index]?.failed ?? 0) > 0) process.stdout.write(`failed: ${step.name}\n`);
}
const all = total(results);
if (all.passed === 0) all.failed += 1;
writeFileSync(join(reports, "summary"), `${summary(all)}\n`);
process.stdout.write(`${summary(all)}\n`);
process.exitCode = all.failed === 0 ? 0 : 1;
