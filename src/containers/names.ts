// SPDX-License-Identifier: Apache-2.0
import { TareError, randomBelow, randomHex } from "../base/index.ts";

const ADJECTIVES =
  "able agile amber apt bold brave breezy bright brisk calm candid careful cheery clear clever cosy crisp curious daring deft eager early earnest exact fair fond frank fresh gentle glad golden grand hardy honest humble jolly keen kind lively lucid mellow merry mild modest neat nimble noble patient placid plain polite proud quick quiet rapid ready robust serene sharp silver sleek sober solid spry steady sunny sure swift tidy tranquil upbeat vivid warm wise witty".split(
    " ",
  );

const SURNAMES =
  "abel ampere babbage bayes bernoulli boole borg cantor cauchy chebyshev church conway curry darwin dijkstra easley engelbart erlang euclid euler faraday fermat fourier galois gauss germain goldberg gosper hamming hilbert hodgkin hollerith hopper huffman hypatia iverson jackson jordan kalman karp keller kepler kilby knuth kolmogorov lagrange lamarr laplace leibniz lovelace markov maxwell mccarthy meitner minsky naur newton noether nyquist pascal perlman poisson ramanujan ritchie rosenblatt shannon solomonoff tarski thompson turing wiener wilkes wirth zuse".split(
    " ",
  );

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/;

/** A new random container id: 64 lower-case hex digits. */
export function newContainerId(): string {
  return randomHex(32);
}

/** A random name such as `brisk_hopper`; with `attempt` > 0 a number is added, as the plain ones may be running out. */
export function randomName(attempt: number = 0): string {
  const pick = (words: readonly string[]): string => words[randomBelow(words.length)] ?? "container";
  const name = `${pick(ADJECTIVES)}_${pick(SURNAMES)}`;
  return attempt === 0 ? name : `${name}${randomBelow(10 ** Math.min(attempt, 9))}`;
}

/** Checks a name that the user chose (a leading `/` is dropped, as Docker does). Throws `E_NAME`. */
export function checkName(text: string): string {
  const name = text.startsWith("/") ? text.slice(1) : text;
  if (NAME.test(name)) return name;
  throw new TareError("E_NAME", `naming the container \`${text.slice(0, 140)}\`: not a valid name`, {
    hint: "use 2 to 128 characters: letters, digits, `_`, `.` and `-`, beginning with a letter or digit",
  });
}
