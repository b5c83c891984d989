// @ts-check
/** Turns for uploads: the server takes so many of one person at once; the others wait in the order they came. */

export class Turns {
  constructor() {
    /** How many may run at once; each composer brings the server's number. */
    this.most = 1;
    this.running = 0;
    /** @type {(() => void)[]} */
    this.waiting = [];
  }

  /** Wait for a turn; give it back with `done`. @returns {Promise<void>} */
  take() {
    if (this.running < this.most) {
      this.running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Give a turn back: it goes to who waits longest. */
  done() {
    const next = this.waiting.shift();
    if (next) next();
    else this.running -= 1;
  }
}
