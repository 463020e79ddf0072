// The user's calendar, which Python does not know: when local time changed, and when a day begins.

const DAY = 86_400_000;
const SINCE = Date.UTC(2020, 0); // before agents kept sessions; older moments get the time of then
const STEP = 14 * DAY; // no zone changes its time twice within it

/**
 * From which moments on (milliseconds since the epoch) local time is so many minutes behind UTC, up to two years
 * from now. `behind` tells the minutes at a moment.
 */
export function zoneChanges(
  now: number,
  behind = (at: number) => new Date(at).getTimezoneOffset(),
): [number, number][] {
  const changes: [number, number][] = [[SINCE, behind(SINCE)]];
  for (let at = SINCE; at < now + 730 * DAY; at += STEP) {
    if (behind(at) === behind(at + STEP)) continue;
    let [before, after] = [at, at + STEP];
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (behind(middle) === behind(at)) before = middle;
      else after = middle;
    }
    changes.push([after, behind(after)]);
  }
  return changes;
}

/** Tell when another day has begun; at once when the page is seen again, since timers of a hidden page may sleep. */
export function watchDays(tell: (now: number) => void): void {
  let day = new Date().toDateString();
  const look = () => {
    if (new Date().toDateString() === day) return;
    day = new Date().toDateString();
    tell(Date.now());
  };
  const wait = () => {
    const now = new Date();
    const next = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
    setTimeout(() => (look(), wait()), next.getTime() - now.getTime() + 500);
  };
  document.addEventListener('visibilitychange', look);
  wait();
}
