// SPDX-License-Identifier: Apache-2.0
import { suggest } from "../../base/index.ts";
import { FUNCTIONS, callFunction, isTrue, show, templateError } from "./functions.ts";
import type { Node, Operand, Pipeline } from "./parser.ts";

type Scope = Map<string, { value: unknown }>;

interface Frame {
  readonly dot: unknown;
  readonly scope: Scope;
  /** In conditions an absent field is false and no error. */
  readonly lenient: boolean;
}

class Jump extends Error {
  readonly to: "break" | "continue";
  constructor(to: "break" | "continue") {
    super(to);
    this.to = to;
  }
}

/** Runs a parsed template over JSON data. Throws `E_USAGE` for absent fields, unknown functions and wrong types. */
export function evaluateTemplate(nodes: readonly Node[], data: unknown): string {
  try {
    return runNodes(nodes, { dot: data, scope: new Map([["$", { value: data }]]), lenient: false });
  } catch (error) {
    if (error instanceof Jump) throw templateError(`\`${error.to}\` outside of \`range\``);
    throw error;
  }
}

function runNodes(nodes: readonly Node[], frame: Frame): string {
  let out = "";
  try {
    for (const node of nodes) out += runNode(node, frame);
  } catch (error) {
    // What was printed before a `break` stays.
    if (error instanceof Jump) throw Object.assign(new Jump(error.to), { printed: out + printedOf(error) });
    throw error;
  }
  return out;
}

function printedOf(jump: Jump): string {
  return "printed" in jump && typeof jump.printed === "string" ? jump.printed : "";
}

function runNode(node: Node, frame: Frame): string {
  switch (node.kind) {
    case "text":
      return node.text;
    case "jump":
      throw new Jump(node.to);
    case "print": {
      const value = runPipeline(node.pipeline, frame);
      return node.pipeline.variables.length > 0 ? "" : show(value);
    }
    case "if": {
      const inner = { ...frame, scope: new Map(frame.scope) };
      return runNodes(
        isTrue(runPipeline(node.pipeline, { ...inner, lenient: true })) ? node.body : node.otherwise,
        inner,
      );
    }
    case "with": {
      const inner = { ...frame, scope: new Map(frame.scope) };
      const value = runPipeline(node.pipeline, { ...inner, lenient: true });
      return isTrue(value) ? runNodes(node.body, { ...inner, dot: value }) : runNodes(node.otherwise, inner);
    }
    case "range":
      return runRange(node, frame);
  }
}

function runRange(node: Extract<Node, { kind: "if" | "with" | "range" }>, frame: Frame): string {
  const { variables, commands } = node.pipeline;
  const entries = rangeEntries(runPipeline({ variables: [], declares: false, commands }, { ...frame, lenient: true }));
  if (entries.length === 0) return runNodes(node.otherwise, frame);
  let out = "";
  for (const [key, value] of entries) {
    const scope = new Map(frame.scope);
    const names = variables.length === 2 ? [key, value] : [value];
    variables.forEach((name, index) => scope.set(name, { value: names[index] }));
    try {
      out += runNodes(node.body, { ...frame, dot: value, scope });
    } catch (error) {
      if (!(error instanceof Jump)) throw error;
      out += printedOf(error);
      if (error.to === "break") break;
    }
  }
  return out;
}

function rangeEntries(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map((item: unknown, index) => [index, item] as const);
  if (typeof value === "number") return Array.from({ length: value }, (_, index) => [index, index] as const);
  if (typeof value === "object") return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  throw templateError(`\`range\` over \`${show(value)}\``);
}

function runPipeline(pipeline: Pipeline, frame: Frame): unknown {
  let value: unknown;
  pipeline.commands.forEach((command, index) => {
    value = runCommand(command, frame, index === 0 ? [] : [value]);
  });
  for (const name of pipeline.variables) {
    const known = frame.scope.get(name);
    if (pipeline.declares) frame.scope.set(name, { value });
    else if (known) known.value = value;
    else throw templateError(`undefined variable \`${name}\``);
  }
  return value;
}

/** `piped` is the value before the `|`, the last argument of the function. */
function runCommand(command: readonly Operand[], frame: Frame, piped: readonly unknown[]): unknown {
  const [first, ...rest] = command;
  if (first?.kind === "function") return callNamed(first.name, rest, { frame, piped });
  if (!first) throw templateError("a command is empty");
  const value = valueOf(first, frame);
  if (typeof value === "function") return method(value, [...rest.map((operand) => valueOf(operand, frame)), ...piped]);
  if (rest.length > 0 || piped.length > 0) throw templateError("a value that is no function has arguments");
  return value;
}

/** A method of a row: `.Label "team"`. */
function method(value: object, given: readonly unknown[]): unknown {
  if (given.length === 0) throw templateError("a method has no arguments");
  return Reflect.apply(value as (...values: unknown[]) => unknown, undefined, given);
}

function callNamed(
  name: string,
  operands: readonly Operand[],
  call: { frame: Frame; piped: readonly unknown[] },
): unknown {
  if (name === "and" || name === "or") return shortCircuit(name, operands, call);
  const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (!known) {
    const near = suggest(name, Object.keys(FUNCTIONS));
    throw templateError(
      `function \`${name}\` is not defined`,
      near === undefined ? undefined : `did you mean \`${near}\`?`,
    );
  }
  return callFunction(name, known, [...operands.map((operand) => valueOf(operand, call.frame)), ...call.piped]);
}

function shortCircuit(
  name: "and" | "or",
  operands: readonly Operand[],
  call: { frame: Frame; piped: readonly unknown[] },
): unknown {
  let value: unknown = true;
  for (const operand of operands) {
    value = valueOf(operand, call.frame);
    if (isTrue(value) === (name === "or")) return value;
  }
  return call.piped.length > 0 ? call.piped[0] : value;
}

function valueOf(operand: Operand, frame: Frame): unknown {
  switch (operand.kind) {
    case "literal":
      return operand.value;
    case "dot":
      return frame.dot;
    case "variable": {
      const known = frame.scope.get(operand.name);
      if (!known) throw templateError(`undefined variable \`${operand.name}\``);
      return known.value;
    }
    case "function":
      return callNamed(operand.name, [], { frame, piped: [] });
    case "pipeline":
      return runPipeline(operand.pipeline, { ...frame, scope: new Map(frame.scope) });
    case "field":
      return fieldOf(valueOf(operand.base, frame), operand.name, frame.lenient);
  }
}

/** A member by name; `.ID` also finds `Id`, as Docker's typed documents do. */
function fieldOf(value: unknown, name: string, lenient: boolean): unknown {
  if (typeof value !== "object" || value === null) {
    if (lenient && (value === null || value === undefined)) return undefined;
    throw templateError(
      `no field \`${name}\` in ${value === null || value === undefined ? "nothing" : `\`${show(value)}\``}`,
    );
  }
  const entries = Object.entries(value);
  const exact = entries.find(([key]) => key === name);
  const found = exact ?? entries.find(([key]) => key.toLowerCase() === name.toLowerCase());
  if (found) return found[1];
  // An object without a prototype is a map, as Go has them: what it does not hold has no value.
  if (lenient || Object.getPrototypeOf(value) === null) return undefined;
  const names = entries.map(([key]) => key);
  const near = suggest(name, names);
  throw templateError(
    `no field \`${name}\``,
    near === undefined ? `the fields here are ${names.slice(0, 40).join(", ")}` : `did you mean \`.${near}\`?`,
  );
}
