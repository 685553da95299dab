// SPDX-License-Identifier: Apache-2.0
import { isTareError } from "../base/index.ts";
import type { Instruction } from "./instruction.ts";
import type { LintedStage, Linter } from "./lint.ts";
import { parsePorts } from "./ports.ts";
import { expandWord } from "./shell-word.ts";
import { quoted } from "./text.ts";

/** What a stage hands on to stages built on it, as far as rules care. */
interface StageState {
  hasShell: boolean;
  hasWorkdir: boolean;
}

const ONLY_LAST_COUNTS: ReadonlySet<string> = new Set(["cmd", "entrypoint", "healthcheck"]);
const SECRET = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NO_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i;

/** Rules about the instructions of each stage that need no variables and no base image. */
export function lintStages(linter: Linter, stages: readonly LintedStage[], escape: string): void {
  const named = new Map<string, StageState>();
  for (const stage of stages) {
    const inherited = named.get(stage.from.base.toLowerCase());
    const state = inherited === undefined ? { hasShell: false, hasWorkdir: false } : { ...inherited };
    lintStage(linter, stage, state, escape);
    named.set(String(stage.index), state);
    if (stage.from.name !== undefined) named.set(stage.from.name, state);
  }
}

function lintStage(linter: Linter, stage: LintedStage, state: StageState, escape: string): void {
  const latest = new Map<string, Instruction>();
  for (const instruction of stage.instructions) {
    if (ONLY_LAST_COUNTS.has(instruction.kind)) {
      const earlier = latest.get(instruction.kind);
      if (earlier !== undefined) reportRepeated(linter, stage, instruction, earlier);
      latest.set(instruction.kind, instruction);
    }
    lintInstruction(linter, stage, instruction, { state, escape });
  }
}

/** The earlier one is reported, as it is the one without effect. */
function reportRepeated(linter: Linter, stage: LintedStage, instruction: Instruction, earlier: Instruction): void {
  const what = `Multiple ${instruction.keyword} instructions should not be used in the same stage`;
  const detail = `${what} because only the last one will be used`;
  const at = { line: earlier.location.line, comments: instruction.comments, stage: stage.index };
  linter.report("MultipleInstructionsDisallowed", detail, at);
}

type Around = { readonly state: StageState; readonly escape: string };

function lintInstruction(linter: Linter, stage: LintedStage, instruction: Instruction, around: Around): void {
  const report = (rule: string, detail: string): void => {
    const { comments, location } = instruction;
    linter.report(rule, detail, { line: location.line, comments, stage: stage.index });
  };
  const { keyword } = instruction;
  switch (instruction.kind) {
    case "env":
    case "label":
      for (const { key, isLegacy } of instruction.assignments) {
        const form = `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`;
        if (isLegacy) report("LegacyKeyValueFormat", form);
        if (instruction.kind === "env") reportSecret(report, "ENV", key);
      }
      return;
    case "arg":
      for (const { key } of instruction.definitions) reportSecret(report, "ARG", key);
      return;
    case "cmd":
    case "entrypoint":
      if (instruction.command.form === "shell" && !around.state.hasShell) {
        const why = "to prevent unintended behavior related to OS signals";
        report("JSONArgsRecommended", `JSON arguments recommended for ${keyword} ${why}`);
      }
      return;
    case "shell":
      around.state.hasShell = true;
      return;
    case "workdir":
      reportWorkdir(report, instruction.path, around);
      return;
    case "expose":
      for (const word of instruction.ports) reportPort(report, word);
  }
}

type Report = (rule: string, detail: string) => void;

function reportSecret(report: Report, keyword: string, key: string): void {
  if (!SECRET.test(key) || NO_SECRET.test(key)) return;
  report("SecretsUsedInArgOrEnv", `Do not use ARG or ENV instructions for sensitive data (${keyword} ${quoted(key)})`);
}

/** A path that begins with a variable cannot be judged here. */
function reportWorkdir(report: Report, path: string, around: Around): void {
  const known = quietly(() => expandWord(path, {}, { escape: around.escape, keepUnset: true }).value) ?? path;
  if (!around.state.hasWorkdir && !known.startsWith("/") && !known.startsWith("$")) {
    report(
      "WorkdirRelativePath",
      `Relative workdir ${quoted(known)} can have unexpected results if the base image changes`,
    );
  }
  around.state.hasWorkdir = true;
}

function reportPort(report: Report, word: string): void {
  if (/[$'"\\]/.test(word)) return;
  for (const { rule, detail } of quietly(() => parsePorts(word).findings) ?? []) report(rule, detail);
}

function quietly<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (isTareError(error)) return undefined;
    throw error;
  }
}
