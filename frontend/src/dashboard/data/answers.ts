// The last answers, so that a page that was seen before is there at once. A bounded number of them.

const MOST = 30;

interface Kept {
  data: unknown;
  at: number;
}

class Answers {
  readonly #kept = new Map<string, Kept>();

  get(key: string): Kept | undefined {
    return this.#kept.get(key);
  }

  keep(key: string, data: unknown, at: number): void {
    this.#kept.delete(key);
    this.#kept.set(key, { data, at });
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > MOST && !oldest.done) this.#kept.delete(oldest.value);
  }
}

export const answers = new Answers();
