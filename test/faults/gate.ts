/** Lets runs go side by side. A run that stops something that all runs share goes alone. */
export class Gate {
  #running = 0;
  #isTaken = false;
  readonly #waiting: { alone: boolean; enter: () => void }[] = [];

  async through<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    await this.#enter(alone);
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (alone) this.#isTaken = false;
      this.#admit();
    }
  }

  #enter(alone: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ alone, enter: resolve });
      this.#admit();
    });
  }

  /** In order of arrival, so that no run waits for ever. */
  #admit(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || this.#isTaken || (next.alone && this.#running > 0)) return;
      this.#waiting.shift();
      this.#running += 1;
      this.#isTaken = next.alone;
      next.enter();
    }
  }
}
