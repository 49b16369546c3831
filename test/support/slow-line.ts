import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A line to a server on this machine that is slow upwards and can be cut, as the network between people and us is. */
export class SlowLine {
  /** Bytes that it has let through upwards. */
  passed = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /**
   * @param port of the server, asked for with each connection
   * @param bytesPerSecond what it lets through upwards on each connection
   */
  constructor(port: () => number, bytesPerSecond: number) {
    this.#server = createServer((near) => {
      const far = connect(port(), '127.0.0.1');
      this.#join(near, far);
      this.#join(far, near);
      far.pipe(near);
      near.on('end', () => far.end());
      near.on('data', (piece) => {
        near.pause();
        far.write(piece);
        this.passed += piece.length;
        setTimeout(() => near.resume(), (piece.length / bytesPerSecond) * 1000);
      });
    });
  }

  /** What ends one side without a word, ends the other so. */
  #join(socket: Socket, other: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      other.destroy();
    });
  }

  /** @returns where it begins */
  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends every connection at once. New ones can be made. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}
