// Writes on their way into the saved state.

/** Changes that are made but not saved yet: one save is for all of them, and one that fails undoes them all. */
export class Writes {
  #undoing: Array<() => void> = []; // the oldest first
  #underway: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  /** Say how to undo a change that was made just now, whatever it finds being as that change left it. */
  note(undo: () => void): void {
    this.#undoing.push(undo);
  }

  /**
   * Wait until all that was changed so far is saved, by `save` or that of another writer. Saves follow one on the other.
   * Throws what `save` throws. What was changed is undone then, with all that was changed during that save: it may build
   * on what is undone, and its writers get the same error.
   */
  saved(save: () => Promise<void>): Promise<void> {
    return (this.#next ??= this.#underway.then(() => this.#saveAll(save)));
  }

  async #saveAll(save: () => Promise<void>): Promise<void> {
    this.#underway = this.#next!;
    this.#next = null;
    const count = this.#undoing.length;
    if (count === 0) return;
    try {
      await save();
      this.#undoing.splice(0, count);
    } catch (error) {
      for (const undo of this.#undoing.reverse()) undo();
      this.#undoing = [];
      this.#underway = Promise.resolve();
      this.#next = null;
      throw error;
    }
  }
}
