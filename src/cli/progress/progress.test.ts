// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { createProgress } from "./index.ts";
import { displayWidth } from "../text/width.ts";
import { frameLines } from "./frame.ts";
import { BuildState } from "./state.ts";
import type { VertexId } from "../../graph/index.ts";
import type { BuildEvent } from "../../solver/index.ts";
import type { ProgressMode } from "./index.ts";

const id = (name: string): VertexId => name as VertexId;
const vertex = (name: string, label: string): BuildEvent => ({
  kind: "vertex",
  id: id(name),
  label,
  inputs: [],
  at: 0,
});
const started = (name: string, at: number): BuildEvent => ({ kind: "started", id: id(name), at });
const completed = (name: string, at: number): BuildEvent => ({ kind: "completed", id: id(name), at });
const log = (name: string, text: string, at: number): BuildEvent => ({
  kind: "log",
  id: id(name),
  stream: 1,
  data: Buffer.from(text),
  at,
});

const EVENTS: readonly BuildEvent[] = [
  vertex("a", "[1/3] FROM python:3.11-slim"),
  vertex("b", "[2/3] COPY . /app"),
  vertex("c", "[3/3] RUN make"),
  started("a", 1000),
  { kind: "status", id: id("a"), name: "layer", current: 0, total: 2_000_000, at: 1050 },
  { kind: "status", id: id("a"), name: "layer", current: 2_000_000, total: 2_000_000, at: 1100 },
  completed("a", 1100),
  { kind: "cached", id: id("b"), at: 1110 },
  started("c", 1200),
  log("c", "one\ntw", 1413),
  log("c", "o\r\n\u001b[31mred\u001b[0m\n10%\r20%\r", 1500),
];

interface Screen {
  readonly text: string[];
  readonly now: { value: number };
  readonly draw: () => void;
  readonly progress: ReturnType<typeof createProgress>;
}

function screen(mode: ProgressMode, isTerminal: boolean, size = { columns: 60, rows: 24 }): Screen {
  const text: string[] = [];
  const now = { value: 1000 };
  let drawn: () => void = () => undefined;
  const output = {
    write: (data: string | Uint8Array) => void text.push(data.toString()),
    isTerminal,
    color: false,
    size: () => size,
  };
  const repeat = (draw: () => void): (() => void) => {
    drawn = draw;
    return () => undefined;
  };
  const progress = createProgress({ mode, title: "Building", output, now: () => now.value, env: {}, repeat });
  return { text, now, progress, draw: () => drawn() };
}

describe("plain progress", () => {
  it("prints what BuildKit prints", () => {
    const { text, progress } = screen("auto", false);
    for (const event of [...EVENTS, completed("c", 2000)]) progress.listener(event);
    progress.finish();
    expect(text.join("")).toBe(
      [
        "#1 [1/3] FROM python:3.11-slim",
        "#1 layer 0B / 2MB",
        "#1 layer 2MB / 2MB 0.1s done",
        "#1 DONE 0.1s",
        "",
        "#2 [2/3] COPY . /app",
        "#2 CACHED",
        "",
        "#3 [3/3] RUN make",
        "#3 0.213 one",
        "#3 0.213 two",
        "#3 0.300 \u001b[31mred\u001b[0m",
        "#3 0.300 20%",
        "#3 DONE 0.8s",
        "",
      ].join("\n"),
    );
  });

  it("names the step again when others came between", () => {
    const { text, progress } = screen("plain", false);
    for (const event of [vertex("a", "A"), vertex("b", "B"), started("a", 0), started("b", 0)])
      progress.listener(event);
    progress.listener(log("a", "x\n", 1000));
    progress.listener(log("b", "y\n", 1000));
    expect(text.join("")).toBe("#1 A\n\n#2 B\n\n#1 A\n#1 1.000 x\n\n#2 B\n#2 1.000 y\n");
  });

  it("ends with the failing step's whole output", () => {
    const { text, progress } = screen("plain", false);
    for (const event of [vertex("a", "[2/3] RUN false"), started("a", 0)]) progress.listener(event);
    progress.listener(log("a", "no\nway", 500));
    progress.listener({ kind: "failed", id: id("a"), message: "exit code: 1", at: 700 });
    progress.fail();
    expect(text.join("")).toBe(
      "#1 [2/3] RUN false\n#1 0.500 no\n#1 0.500 way\n#1 ERROR: exit code: 1\n" +
        "------\n > [2/3] RUN false:\n0.500 no\n0.500 way\n------\n",
    );
  });

  it("sums warnings up", () => {
    const { text, progress } = screen("plain", false);
    progress.listener({ kind: "warning", rule: "StageNameCasing", message: "lower\u001b[2J", line: 3, at: 0 });
    progress.finish();
    expect(text.join("")).toBe("\n 1 warning found:\n - StageNameCasing: lower\\x1b[2J (line 3)\n");
  });
});

describe("live progress", () => {
  it("draws whole frames over each other, one write each", () => {
    const { text, now, progress, draw } = screen("auto", true);
    for (const event of EVENTS) progress.listener(event);
    now.value = 2500;
    draw();
    const frame = [
      "[+] Building 1.5s (2/3)",
      " => [1/3] FROM python:3.11-slim                        0.1s",
      " => CACHED [2/3] COPY . /app                           0.0s",
      " => [3/3] RUN make                                     1.3s",
      " => => # one",
      " => => # two",
      " => => # red",
      " => => # 20%",
    ];
    expect(text).toEqual([`\u001b[?25l${frame.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J\u001b[?25h`]);
    progress.listener(completed("c", 3000));
    now.value = 3000;
    progress.finish();
    const last = ["[+] Building 2.0s (3/3) FINISHED", ...frame.slice(1, 3), frame[3]?.replace("1.3s", "1.8s")];
    expect(text[1]).toBe(
      `\u001b[?25l\u001b[8A\r${last.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J\u001b[?25h`,
    );
  });

  it("fits every size", () => {
    const state = new BuildState(0);
    for (let step = 0; step < 40; step += 1) {
      state.apply(
        vertex(`s${step}`, `[${step}/40] RUN 漢字漢字漢字 with a rather long command line that has to be cut`),
      );
      state.apply(started(`s${step}`, step));
      state.apply(log(`s${step}`, "a\nb\nc\n👍🏽 emoji and\ttabs\n", step));
      if (step % 3 > 0) state.apply(completed(`s${step}`, step + 5));
    }
    for (const [columns, rows] of [
      [80, 24],
      [20, 5],
      [10, 3],
    ] as const) {
      const lines = frameLines(state, { title: "Building", now: 100, columns, rows, color: false, isLast: false });
      expect(lines.length).toBeLessThanOrEqual(rows - 1);
      for (const line of lines) expect(displayWidth(line)).toBeLessThan(columns);
    }
  });

  it("is plain where the terminal is dumb or the output is a pipe", () => {
    const { text, progress } = screen("auto", false);
    progress.listener(started("a", 0));
    expect(text).toEqual(["#1 a\n"]);
  });
});

describe("other modes", () => {
  it("prints BuildKit's rawjson", () => {
    const { text, progress } = screen("rawjson", false);
    progress.listener(vertex("a", "A"));
    progress.listener(log("a", "x", 0));
    expect(text.map((line) => JSON.parse(line) as unknown)).toEqual([
      { vertexes: [{ digest: "a", inputs: [], name: "A" }] },
      { logs: [{ vertex: "a", stream: 1, data: "eA==", timestamp: "1970-01-01T00:00:00.000Z" }] },
    ]);
  });

  it("says nothing when quiet, until something fails", () => {
    const { text, progress } = screen("quiet", false);
    for (const event of EVENTS) progress.listener(event);
    expect(text).toEqual([]);
    progress.listener({ kind: "failed", id: id("c"), message: "m", at: 1600 });
    progress.fail();
    expect(text.join("")).toContain(" > [3/3] RUN make:\n0.213 one\n");
  });
});
