/** The server's time, by a clock of this device that may be wrong. */

/** An answer that said the server's time; all in milliseconds, the last two by this device. */
export interface TimeSample {
  serverNow: number;
  sentAt: number;
  receivedAt: number;
}

/** Samples are kept for so long: clocks drift, and are set. */
const KEPT_MS = 600_000;

/** Knows how far the server's clock is ahead of this device's. */
export class ServerClock {
  #offset = 0;
  /** The offset is right but for this many milliseconds. */
  #error = Number.POSITIVE_INFINITY;
  #at = Number.NEGATIVE_INFINITY;

  /** Take the time of an answer. The answer that took the shortest counts. */
  take({ serverNow, sentAt, receivedAt }: TimeSample): void {
    const error = Math.max(0, receivedAt - sentAt) / 2;
    const offset = serverNow - (sentAt + receivedAt) / 2;
    const wasSet = Math.abs(offset - this.#offset) > error + this.#error;
    const isOld = receivedAt - this.#at > KEPT_MS || receivedAt < this.#at;
    if (error > this.#error && !wasSet && !isOld) return;
    this.#offset = offset;
    this.#error = error;
    this.#at = receivedAt;
  }

  /** The server's time now, or when this device showed a time. */
  now(deviceNow: number = Date.now()): number {
    return deviceNow + this.#offset;
  }

  /** How many milliseconds the server is ahead. */
  get offset(): number {
    return this.#offset;
  }
}
