// SPDX-License-Identifier: Apache-2.0
/* Passes bytes between clients and a server on this machine, and counts them. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/** A running proxy. */
export class CountingProxy {
  /** Bytes that clients sent, and that they were sent. */
  up = 0;
  down = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const server = connect(port, "127.0.0.1");
      this.#join(client, server, (count) => (this.up += count));
      this.#join(server, client, (count) => (this.down += count));
    });
  }

  /** Opens a proxy for a port of this machine. */
  static async open(port: number): Promise<CountingProxy> {
    const proxy = new CountingProxy(port);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** `127.0.0.1:port` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Sets the counts to 0 when the connections of earlier clients have ended. */
  async reset(): Promise<void> {
    while (this.#sockets.size > 0) await new Promise((done) => setTimeout(done, 5));
    this.up = 0;
    this.down = 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(from: Socket, to: Socket, count: (bytes: number) => void): void {
    this.#sockets.add(from);
    from.on("data", (chunk: Buffer) => count(chunk.length));
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }
}
