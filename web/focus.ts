// Where the focus is about to go. Python may be busy when the user presses what opens a dialog, and what is typed until
// it is there is meant for it: none of it may be taken for a command.

/** After so many milliseconds nobody types for what has not come. */
const PATIENCE = 10_000;

export class Focus {
  /** The id of what is to have the focus, as soon as it is there. */
  #wanted = '';
  #until = 0;

  constructor() {
    // Who presses something else does not wait any more.
    document.addEventListener('pointerdown', () => this.giveUp(), true);
  }

  /** Python wants the element with this id to have the focus. */
  want(id: string): void {
    this.#wanted = id;
    this.expect();
    this.settle();
  }

  /** What was pressed will bring a dialog or a field. */
  expect(): void {
    this.#until = performance.now() + PATIENCE;
  }

  giveUp(): void {
    this.#wanted = '';
    this.#until = 0;
  }

  /** Is what is typed now meant for something that is not there yet? */
  isExpected(): boolean {
    return performance.now() < this.#until;
  }

  /** The page has changed: what was waited for may be there. */
  settle(): void {
    if (this.#wanted) {
      const element = document.getElementById(this.#wanted);
      element?.focus();
      if (element && element === document.activeElement) this.giveUp(); // what is hidden takes no focus
    } else if (document.querySelector('dialog:modal')) {
      this.giveUp();
    }
  }
}
